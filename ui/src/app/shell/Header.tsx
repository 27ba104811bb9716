import { ActionIcon, Menu, Tooltip, UnstyledButton } from "@mantine/core";
import { Link, useNavigate } from "@tanstack/react-router";
import { CircleHelp, KeyRound, LogOut, Menu as MenuIcon, Moon, Search, Settings, Sun, UserRound } from "lucide-react";
import { useLogOut, useMe } from "@/api/access";
import { usePreferences } from "@/app/preferences";
import { toggleScheme, useScheme } from "@/app/scheme";
import { keysOf } from "@/app/shortcuts";
import { LiveDot } from "@/components/LiveDot";
import classes from "./Header.module.css";
import { Logo } from "./Logo";

interface Props {
  onMenu: () => void;
  onFind: () => void;
  onHelp: () => void;
}

export function Header({ onMenu, onFind, onHelp }: Props) {
  const { scheme } = usePreferences();
  const dark = useScheme(scheme) === "dark";
  return (
    <div className={classes.header}>
      <ActionIcon size={34} className={classes.menu} onClick={onMenu} aria-label="Open the navigation">
        <MenuIcon size={19} />
      </ActionIcon>
      <Link to="/" className={classes.brand} aria-label="Batuta: home">
        <Logo />
        <span>Batuta</span>
      </Link>
      <UnstyledButton className={classes.find} onClick={onFind} aria-label="Find anything">
        <Search size={15} aria-hidden />
        <span>Find anything…</span>
        <kbd>{keysOf("mod+k").join(" ")}</kbd>
      </UnstyledButton>
      <div className={classes.tools}>
        <LiveDot />
        <Tooltip label={dark ? "Light scheme" : "Dark scheme"}>
          <ActionIcon size={32} onClick={toggleScheme} aria-label={dark ? "Switch to the light scheme" : "Switch to the dark scheme"}>
            {dark ? <Sun size={17} /> : <Moon size={17} />}
          </ActionIcon>
        </Tooltip>
        <Tooltip label="Keys">
          <ActionIcon size={32} onClick={onHelp} aria-label="Keyboard shortcuts" className={classes.help}>
            <CircleHelp size={17} />
          </ActionIcon>
        </Tooltip>
        <AccountMenu />
      </div>
    </div>
  );
}

function AccountMenu() {
  const me = useMe();
  const navigate = useNavigate();
  const logOut = useLogOut();
  if (!me) return null;
  const roles = Object.entries(me.roles).map(([location, role]) => (location === "*" ? role : `${role} at ${location}`));
  return (
    <Menu position="bottom-end" width={240}>
      <Menu.Target>
        <ActionIcon size={32} aria-label={`Account ${me.name}`}>
          <UserRound size={17} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <div className={classes.who}>
          <b>{me.name}</b>
          <span>{me.method === "local" ? "On this machine, without accounts: may do everything" : roles.join(", ") || "no role"}</span>
        </div>
        <Menu.Divider />
        <Menu.Item leftSection={<KeyRound size={15} />} onClick={() => void navigate({ to: "/tokens" })}>
          API tokens{me.method === "session" ? " and password" : ""}
        </Menu.Item>
        <Menu.Item leftSection={<Settings size={15} />} onClick={() => void navigate({ to: "/settings" })}>
          Settings
        </Menu.Item>
        {me.method === "session" && (
          <>
            <Menu.Divider />
            <Menu.Item leftSection={<LogOut size={15} />} onClick={() => logOut.mutate(undefined)}>
              Log out
            </Menu.Item>
          </>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
