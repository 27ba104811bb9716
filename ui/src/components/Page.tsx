// What every view begins with: where it is, its title, what may be done here.
import { Link } from "@tanstack/react-router";
import { ChevronRight } from "lucide-react";
import { Fragment, useEffect, type ReactNode } from "react";
import classes from "./Page.module.css";

export interface Crumb {
  label: string;
  to: string;
  params?: Record<string, string>;
}

interface Props {
  title: string;
  /** What stands beside the title: a state, a tag. */
  beside?: ReactNode;
  /** One line below the title. */
  about?: ReactNode;
  crumbs?: Crumb[];
  /** Buttons, at the right. */
  actions?: ReactNode;
  children: ReactNode;
}

export function Page({ title, beside, about, crumbs = [], actions, children }: Props) {
  useEffect(() => {
    document.title = `${title} · Batuta`;
  }, [title]);
  return (
    <article className={classes.page}>
      <header className={classes.header}>
        <div className={classes.heading}>
          {crumbs.length > 0 && (
            <nav aria-label="Breadcrumbs" className={classes.crumbs}>
              {crumbs.map((crumb) => (
                <Fragment key={crumb.to}>
                  <Link to={crumb.to} params={crumb.params} className="b-link">
                    {crumb.label}
                  </Link>
                  <ChevronRight size={13} aria-hidden />
                </Fragment>
              ))}
            </nav>
          )}
          <div className={classes.title}>
            <h1>{title}</h1>
            {beside}
          </div>
          {about && <div className={classes.about}>{about}</div>}
        </div>
        {actions && <div className={classes.actions}>{actions}</div>}
      </header>
      {children}
    </article>
  );
}

/** A part of a page, in a frame of its own. */
export function Section({ title, actions, children, flush }: { title?: ReactNode; actions?: ReactNode; children: ReactNode; flush?: boolean }) {
  return (
    <section className={`b-card ${classes.section}`} data-flush={flush || undefined}>
      {(title || actions) && (
        <header>
          {title && <h2>{title}</h2>}
          {actions}
        </header>
      )}
      {children}
    </section>
  );
}
