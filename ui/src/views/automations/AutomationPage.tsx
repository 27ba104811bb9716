import { TickerDetail } from "@/views/tickers/TickerDetail";

export function AutomationPage() {
  return <TickerDetail kind="automation" />;
}
