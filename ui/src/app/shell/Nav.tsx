import { ActionIcon, ScrollArea, Tooltip } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { PanelLeftClose, PanelLeftOpen } from "lucide-react";
import { may, useMe } from "@/api/access";
import { GROUPS } from "@/app/pages";
import classes from "./Nav.module.css";

/** The navigation; narrow: icons alone. */
export function Nav({ narrow, onFold, onGo }: { narrow?: boolean; onFold?: () => void; onGo?: () => void }) {
  const me = useMe();
  return (
    <nav aria-label="Pages" className={classes.nav} data-narrow={narrow || undefined}>
      <ScrollArea className={classes.scroll} type="never">
        {GROUPS.map((group) => {
          const shown = group.pages.filter((page) => !page.role || (me && may(me, page.role)));
          return (
            <div key={group.label || "first"} className={classes.group}>
              {group.label && !narrow && <div className={classes.label}>{group.label}</div>}
              {shown.map((page) => (
                <Tooltip key={page.to} label={page.label} position="right" disabled={!narrow} openDelay={150}>
                  <Link to={page.to} className={classes.link} onClick={onGo} activeOptions={{ exact: page.to === "/", includeSearch: false }} aria-label={narrow ? page.label : undefined}>
                    <page.icon size={16} strokeWidth={1.9} aria-hidden />
                    {!narrow && <span>{page.label}</span>}
                  </Link>
                </Tooltip>
              ))}
            </div>
          );
        })}
      </ScrollArea>
      {onFold && (
        <div className={classes.foot}>
          <Tooltip label={narrow ? "Unfold" : "Fold"} position="right">
            <ActionIcon onClick={onFold} aria-label={narrow ? "Unfold the navigation" : "Fold the navigation"}>
              {narrow ? <PanelLeftOpen size={16} /> : <PanelLeftClose size={16} />}
            </ActionIcon>
          </Tooltip>
        </div>
      )}
    </nav>
  );
}
