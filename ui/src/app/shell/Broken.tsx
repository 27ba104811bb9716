// In place of a page that is not there, or that failed to be drawn.
import { Button } from "@mantine/core";
import { Link, useRouter, type ErrorComponentProps } from "@tanstack/react-router";
import { Compass } from "lucide-react";
import { EmptyState } from "@/components/EmptyState";
import { ErrorView } from "@/components/ErrorView";
import { Page } from "@/components/Page";

export function NotFound() {
  return (
    <Page title="Not found">
      <EmptyState
        icon={Compass}
        title="There is no such page"
        action={
          <Button component={Link} to="/" variant="default">
            Go home
          </Button>
        }
      >
        The address may be mistyped, or what was here is gone. Ctrl K finds anything by its name.
      </EmptyState>
    </Page>
  );
}

const STALE = /dynamically imported module|Importing a module script failed|error loading dynamically/i;

export function Broken({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  // The server has another version of the UI since this page was opened: its files have other names.
  if (error instanceof Error && STALE.test(error.message)) {
    return <ErrorView error={new Error("the UI has been updated since this page was opened")} retry={() => window.location.reload()} />;
  }
  return (
    <ErrorView
      error={error}
      retry={() => {
        reset();
        void router.invalidate();
      }}
    />
  );
}
