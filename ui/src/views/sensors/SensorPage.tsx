import { TickerDetail } from "@/views/tickers/TickerDetail";

export function SensorPage() {
  return <TickerDetail kind="sensor" />;
}
