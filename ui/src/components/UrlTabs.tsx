import { Tabs } from "@mantine/core";
import type { ReactNode } from "react";
import { countText } from "@/app/format";
import { useUrlState } from "@/app/search";

export interface Tab {
  id: string;
  label: string;
  /** A number beside the label. */
  count?: number;
  icon?: ReactNode;
  content: () => ReactNode;
}

const SHAPE = { tab: "" };

/** Tabs whose choice stands in the URL (`?tab=`); only what is chosen is drawn. */
export function UrlTabs({ tabs, label }: { tabs: Tab[]; label: string }) {
  const [{ tab }, set] = useUrlState(SHAPE);
  const chosen = tabs.find((each) => each.id === tab) ?? tabs[0];
  if (!chosen) return null;
  const first = tabs[0]?.id;
  return (
    <Tabs value={chosen.id} onChange={(next) => set({ tab: next === first || next === null ? "" : next }, { push: true })} keepMounted={false}>
      <Tabs.List aria-label={label} mb="md" style={{ flexWrap: "nowrap", overflowX: "auto", overflowY: "hidden" }}>
        {tabs.map((each) => (
          <Tabs.Tab key={each.id} value={each.id} leftSection={each.icon} rightSection={each.count === undefined ? undefined : <span className="b-dim">{countText(each.count)}</span>}>
            {each.label}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      <Tabs.Panel value={chosen.id}>{chosen.content()}</Tabs.Panel>
    </Tabs>
  );
}
