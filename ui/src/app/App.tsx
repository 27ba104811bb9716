// Everything around the pages: theme, queries, news, toasts, keys.
import { MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { useEffect } from "react";
import { keys } from "@/api/keys";
import { onAnswer } from "@/api/client";
import { queryClient } from "@/api/live";
import { usePreferences } from "@/app/preferences";
import { router } from "@/app/routes";
import { useScheme } from "@/app/scheme";
import { handle } from "@/app/shortcuts";
import { theme } from "@/design/theme";

export function App() {
  const { scheme } = usePreferences();
  const shown = useScheme(scheme);
  useEffect(() => {
    window.addEventListener("keydown", handle);
    return () => window.removeEventListener("keydown", handle);
  }, []);
  useEffect(
    () =>
      onAnswer((status) => {
        // A session that has ended: look again who we are, and let the frame lead to the login.
        if (status === 401 && !router.state.location.pathname.startsWith("/login")) {
          void queryClient.invalidateQueries({ queryKey: keys.me });
        }
      }),
    [],
  );
  return (
    <MantineProvider theme={theme} forceColorScheme={shown}>
      <QueryClientProvider client={queryClient}>
        <RouterProvider router={router} />
        <Notifications position="bottom-right" limit={4} />
      </QueryClientProvider>
    </MantineProvider>
  );
}
