import { TickerList } from "@/views/tickers/TickerList";

export function SchedulesPage() {
  return <TickerList kind="schedule" />;
}
