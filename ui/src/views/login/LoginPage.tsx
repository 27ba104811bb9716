// Logging in: with a password, or elsewhere (OIDC), as the server offers it; then back to where somebody wanted to be.
import { Button, Divider, PasswordInput, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { LogIn } from "lucide-react";
import { useEffect, useState } from "react";
import { accessQueries, useLogIn } from "@/api/access";
import { useUrlState } from "@/app/search";
import { FormError } from "@/components/FormError";
import { Logo } from "@/app/shell/Logo";
import { inside } from "./inside";
import classes from "./LoginPage.module.css";

const URL = { next: "/" };

export function LoginPage() {
  const [{ next }] = useUrlState(URL);
  const place = inside(next);
  const { data: me, error } = useQuery(accessQueries.me());
  const router = useRouter();
  const known = me !== undefined && me.method !== "none";
  useEffect(() => {
    document.title = "Log in · Batuta";
  }, []);
  useEffect(() => {
    if (known) router.history.replace(place);
  }, [known, router, place]);
  const ways = me?.login ?? [];
  return (
    <main className={classes.page}>
      <div className={`b-card ${classes.box}`}>
        <header>
          <Logo size={34} />
          <h1>Log in to Batuta</h1>
        </header>
        {error && <FormError error={error} />}
        {ways.includes("password") && <PasswordForm />}
        {ways.includes("oidc") && (
          <>
            {ways.includes("password") && <Divider label="or" my="md" />}
            <Button component="a" href={`/api/v1/login/oidc?next=${encodeURIComponent(place)}`} variant="default" size="sm" fullWidth leftSection={<LogIn size={15} />}>
              Log in with your organisation
            </Button>
          </>
        )}
      </div>
    </main>
  );
}

function PasswordForm() {
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const logIn = useLogIn();
  return (
    <form
      className={classes.form}
      onSubmit={(event) => {
        event.preventDefault();
        logIn.mutate({ name, password });
      }}
    >
      {logIn.error && <FormError error={logIn.error} />}
      <TextInput label="Name" size="sm" autoComplete="username" autoFocus required value={name} onChange={(event) => setName(event.currentTarget.value)} />
      <PasswordInput
        label="Password"
        autoComplete="current-password"
        required
        value={password}
        visibilityToggleButtonProps={{ "aria-label": "Show the password" }}
        onChange={(event) => setPassword(event.currentTarget.value)}
      />
      <Button type="submit" size="sm" fullWidth loading={logIn.isPending} disabled={!name || !password}>
        Log in
      </Button>
    </form>
  );
}
