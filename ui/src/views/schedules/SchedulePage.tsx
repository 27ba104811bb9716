import { TickerDetail } from "@/views/tickers/TickerDetail";

export function SchedulePage() {
  return <TickerDetail kind="schedule" />;
}
