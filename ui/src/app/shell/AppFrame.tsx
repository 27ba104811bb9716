// What stands around every page: navigation, header, palette, help, and whether the server is there.
import { AppShell, Drawer } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { Outlet, useNavigate, useRouter, useRouterState } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { useMe } from "@/api/access";
import { live } from "@/api/live";
import { PAGES } from "@/app/pages";
import { Palette } from "@/app/palette/Palette";
import { prefer, usePreferences } from "@/app/preferences";
import { toggleScheme } from "@/app/scheme";
import { useShortcut } from "@/app/shortcuts";
import classes from "./AppFrame.module.css";
import { Header } from "./Header";
import { Help } from "./Help";
import { Lost } from "./Lost";
import { Nav } from "./Nav";
import { Restart } from "./Restart";

export function AppFrame() {
  const [menu, setMenu] = useState(false);
  const [palette, setPalette] = useState(false);
  const [help, setHelp] = useState(false);
  const { narrow } = usePreferences();
  const phone = useMediaQuery("(max-width: 767px)", window.matchMedia("(max-width: 767px)").matches);
  const path = useRouterState({ select: (state) => state.location.pathname });
  useGuard();
  useEffect(() => live.start(), []);
  useEffect(() => setMenu(false), [path]);

  useShortcut("mod+k", "Find anything, do anything", () => setPalette(true), "Everywhere");
  useShortcut("?", "Show these keys", () => setHelp(true), "Everywhere");
  useShortcut("/", "Search in the list", focusSearch, "Everywhere");
  useShortcut("[", "Fold or unfold the navigation", () => prefer({ narrow: !narrow }), "Everywhere");
  useShortcut("t", "Light or dark", toggleScheme, "Everywhere");

  return (
    <AppShell
      header={{ height: 50 }}
      navbar={{ width: narrow ? 58 : 216, breakpoint: "sm", collapsed: { mobile: true } }}
      padding={phone ? "sm" : "lg"}
      transitionDuration={120}
    >
      <a href="#main" className={classes.skip}>
        Skip to the page
      </a>
      <AppShell.Header className={classes.header}>
        <Header onMenu={() => setMenu(true)} onFind={() => setPalette(true)} onHelp={() => setHelp(true)} />
      </AppShell.Header>
      {!phone && (
        <AppShell.Navbar className={classes.nav}>
          <Nav narrow={narrow} onFold={() => prefer({ narrow: !narrow })} />
        </AppShell.Navbar>
      )}
      <Drawer opened={menu && !!phone} onClose={() => setMenu(false)} size={260} title="Batuta" padding={0} classNames={{ header: classes.drawer }} closeButtonProps={{ "aria-label": "Close the navigation" }}>
        <Nav onGo={() => setMenu(false)} />
      </Drawer>
      <AppShell.Main id="main" tabIndex={-1} className={classes.main}>
        <Lost />
        <Restart />
        <Outlet />
      </AppShell.Main>
      <Palette opened={palette} onClose={() => setPalette(false)} onHelp={() => setHelp(true)} />
      <Help opened={help} onClose={() => setHelp(false)} />
      <GoKeys />
    </AppShell>
  );
}

/** Whoever is not logged in any more is led to the login, and back. */
function useGuard() {
  const router = useRouter();
  const out = useMe()?.method === "none";
  useEffect(() => {
    // The place is looked up here, and once: it changes on the way to the login.
    const { href, pathname } = router.state.location;
    if (out && pathname !== "/login") void router.navigate({ to: "/login", search: { next: href } });
  }, [out, router]);
}

function focusSearch() {
  document.querySelector<HTMLInputElement>("input[data-search]")?.focus();
}

function GoKeys() {
  return PAGES.map((page) => <GoKey key={page.to} to={page.to} label={page.label} letter={page.key} />);
}

function GoKey({ to, label, letter }: { to: string; label: string; letter?: string }) {
  const navigate = useNavigate();
  useShortcut(letter && `g ${letter}`, label, () => void navigate({ to }), "Go to");
  return null;
}
