import { TickerList } from "@/views/tickers/TickerList";

export function AutomationsPage() {
  return <TickerList kind="automation" />;
}
