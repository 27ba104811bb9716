import { SegmentedControl, Select } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { itemsOf } from "@/api/pages";
import { serviceQueries, type Process } from "@/api/service";
import { settingQueries } from "@/api/settings";
import { sizeText } from "@/app/format";
import { prefer, usePreferences, type Scheme } from "@/app/preferences";
import { KeyValue } from "@/components/KeyValue";
import { ErrorView } from "@/components/ErrorView";
import { JsonView } from "@/components/json";
import { Page, Section } from "@/components/Page";
import { StateBadge } from "@/components/StateBadge";

const ZONES = ["local", "UTC", ...Intl.supportedValuesOf("timeZone").filter((zone) => zone !== "UTC")];

export function SettingsPage() {
  return (
    <Page title="Settings">
      <Yours />
      <Installation />
    </Page>
  );
}

function Yours() {
  const { scheme, zone } = usePreferences();
  return (
    <Section title="In this browser">
      <KeyValue
        facts={[
          [
            "Colour scheme",
            <SegmentedControl
              key="scheme"
              size="xs"
              value={scheme}
              aria-label="Colour scheme"
              data={[
                { value: "system", label: "As the system" },
                { value: "light", label: "Light" },
                { value: "dark", label: "Dark" },
              ]}
              onChange={(value) => prefer({ scheme: value as Scheme })}
            />,
          ],
          [
            "Time zone",
            <Select
              key="zone"
              maw={260}
              searchable
              allowDeselect={false}
              aria-label="Time zone"
              value={zone}
              data={ZONES.map((value) => ({ value, label: value === "local" ? "As this machine" : value }))}
              limit={100}
              onChange={(value) => value && prefer({ zone: value })}
            />,
          ],
        ]}
      />
    </Section>
  );
}

function Installation() {
  const { data, error, refetch } = useQuery(settingQueries.settings());
  if (error && !data) return <ErrorView error={error} retry={() => void refetch()} />;
  if (!data) return null;
  const { store } = data;
  return (
    <>
      <Section title="Installation">
        <KeyValue
          facts={[
            ["Batuta", data.version],
            ["Project", data.project],
            ["Folder", <span key="root" className="b-mono">{data.root}</span>],
            ["Profile", data.profile || null],
            ["Layers", data.layers.join(" → ")],
            ["Accounts", data.accounts ? "Everybody has to log in" : "None: open on this machine alone"],
            ["Scheduler", <StateBadge key="up" state={data.scheduler ? "ok" : "off"} label={data.scheduler ? "In this process" : "Elsewhere"} />],
          ]}
        />
      </Section>
      <Section title="Configuration">
        <Configuration />
      </Section>
      <Section title="Store">
        <KeyValue
          facts={[
            ["Database", store.dialect],
            ["Where", <span key="at" className="b-mono">{store.location}</span>],
            ["Schema", store.revision === store.newest_revision ? store.revision : `${store.revision} (newest: ${store.newest_revision})`],
            ["Size", sizeText(store.size)],
            ...Object.entries(store.facts),
          ]}
        />
      </Section>
      <Section title="Queue">
        <JsonView value={data.queue} />
      </Section>
      <Section title="Retention">
        <JsonView value={data.retention} />
      </Section>
    </>
  );
}

/** Whether each process has taken on what stands in batuta.toml. */
function Configuration() {
  const { data, error, refetch } = useInfiniteQuery(serviceQueries.processes());
  if (error && !data) return <ErrorView error={error} retry={() => void refetch()} />;
  const alive = itemsOf(data).filter((each) => each.alive);
  if (alive.length === 0) return <p className="b-dim">No process of the service lives.</p>;
  return <KeyValue facts={alive.map((each) => [`${each.kind} · ${each.host} · ${each.pid}`, <InForce key={each.id} process={each} />])} />;
}

function InForce({ process }: { process: Process }) {
  if (process.configuration_error) {
    return (
      <>
        <StateBadge state="error" label="Cannot be read" /> {process.configuration_error}
      </>
    );
  }
  if (process.waiting_for_restart.length) {
    return (
      <>
        <StateBadge state="warning" label="Restart needed" /> <span className="b-mono">{process.waiting_for_restart.join(", ")}</span>
      </>
    );
  }
  return <StateBadge state="ok" label="As batuta.toml says" />;
}
