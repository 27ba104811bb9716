// How logs are shown, kept by the browser.
import { useLocalStorage } from "@mantine/hooks";

export interface LogLook {
  wrap: boolean;
  time: boolean;
  level: boolean;
  source: boolean;
}

const USUAL: LogLook = { wrap: true, time: true, level: true, source: false };

export function useLogLook(): [LogLook, (change: Partial<LogLook>) => void] {
  const [look, setLook] = useLocalStorage<LogLook>({
    key: "batuta.logs",
    defaultValue: USUAL,
    getInitialValueInEffect: false,
  });
  return [look, (change) => setLook((before) => ({ ...before, ...change }))];
}
