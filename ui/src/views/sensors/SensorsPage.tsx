import { TickerList } from "@/views/tickers/TickerList";

export function SensorsPage() {
  return <TickerList kind="sensor" />;
}
