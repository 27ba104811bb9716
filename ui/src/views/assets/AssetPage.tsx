// An asset: what it is and where from, how it is now and why, its partitions, rows, checks, history, columns and code.
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { Hammer, Workflow } from "lucide-react";
import { lazy, Suspense } from "react";
import { assetQueries } from "@/api/assets";
import type { Schema } from "@/api/client";
import { plural } from "@/app/format";
import { useUrlState } from "@/app/search";
import { useShortcut } from "@/app/shortcuts";
import { ErrorView } from "@/components/ErrorView";
import { LocationLink, RunLink } from "@/components/links";
import { Page } from "@/components/Page";
import { PermissionGate } from "@/components/PermissionGate";
import { LayerTag, StateBadge, Tag } from "@/components/StateBadge";
import { RelativeTime } from "@/components/time";
import { UrlTabs, type Tab } from "@/components/UrlTabs";
import { AutomationTab } from "./AutomationTab";
import { ChecksTab } from "./ChecksTab";
import { ColumnsTab } from "./ColumnsTab";
import { HistoryTab } from "./HistoryTab";
import { OverviewTab } from "./OverviewTab";
import { PartitionsTab } from "./PartitionsTab";
import { RowsTab } from "./RowsTab";
import { SourceTab } from "./SourceTab";

const URL = { materialize: "" };
const CRUMBS = [{ label: "Catalog", to: "/assets" }];
const MaterializeDrawer = lazy(() => import("./MaterializeDrawer"));

export function AssetPage() {
  const key = useParams({ strict: false }).key ?? "";
  const [{ materialize }, set] = useUrlState(URL);
  const { data, error, refetch } = useQuery(assetQueries.one(key));
  const open = () => set({ materialize: "yes" }, { push: true });
  useShortcut("m", "Materialize this asset", open);
  if (error && !data) return <ErrorView error={error} retry={() => void refetch()} />;
  return (
    <Page
      title={key}
      crumbs={CRUMBS}
      beside={data && <Beside asset={data.asset} />}
      about={data && <About detail={data} />}
      actions={
        <>
          <Button variant="default" leftSection={<Workflow size={15} aria-hidden />} renderRoot={(props) => <Link to="/lineage" search={{ selection: `+${key}+` }} {...props} />}>
            Lineage
          </Button>
          {data && !data.asset.external && (
            <PermissionGate role="operator" location={data.asset.location}>
              <Button leftSection={<Hammer size={15} aria-hidden />} onClick={open}>
                Materialize
              </Button>
            </PermissionGate>
          )}
        </>
      }
    >
      {data && <UrlTabs label="Asset" tabs={tabsOf(data)} />}
      {data && materialize && (
        <Suspense>
          <MaterializeDrawer detail={data} onClose={() => set({ materialize: "" })} />
        </Suspense>
      )}
    </Page>
  );
}

function Beside({ asset }: { asset: Schema<"Asset"> }) {
  return (
    <>
      <LayerTag layer={asset.layer} />
      <StateBadge state={asset.state} />
      {asset.checks_failed > 0 && <StateBadge state="failed" label={plural(asset.checks_failed, "check fails", "checks fail")} />}
      {asset.kinds.map((kind) => (
        <Tag key={kind}>{kind}</Tag>
      ))}
    </>
  );
}

function About({ detail: { asset, place } }: { detail: Schema<"AssetDetail"> }) {
  return (
    <>
      at <LocationLink location={asset.location} />
      {place && <> · <span className="b-mono">{place}</span></>}
      {asset.materialized_at && <> · made <RelativeTime at={asset.materialized_at} /></>}
      {asset.run !== null && <> by run <RunLink run={asset.run} /></>}
    </>
  );
}

function tabsOf(detail: Schema<"AssetDetail">): Tab[] {
  const { asset } = detail;
  const { key } = asset;
  const tabs: (Tab | false)[] = [
    { id: "overview", label: "Overview", content: () => <OverviewTab detail={detail} /> },
    asset.partitions !== null && { id: "partitions", label: "Partitions", count: asset.partitions, content: () => <PartitionsTab asset={key} text={detail.partitions} /> },
    !asset.external && { id: "rows", label: "Rows", content: () => <RowsTab detail={detail} /> },
    { id: "columns", label: "Columns", count: detail.columns.length || undefined, content: () => <ColumnsTab detail={detail} /> },
    { id: "checks", label: "Checks", count: detail.checks.length, content: () => <ChecksTab detail={detail} /> },
    { id: "history", label: "History", content: () => <HistoryTab asset={key} location={asset.location} /> },
    !asset.external && { id: "automation", label: "Automation", content: () => <AutomationTab asset={asset} /> },
    !asset.external && { id: "code", label: "Code", content: () => <SourceTab asset={key} run={asset.run ?? undefined} /> },
  ];
  return tabs.filter((tab): tab is Tab => tab !== false);
}
