import "@fontsource-variable/inter/wght.css";
import "@fontsource-variable/jetbrains-mono/wght.css";
import "@mantine/core/styles.css";
import "@mantine/notifications/styles.css";
import "@/design/tokens.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "@/app/App";
import { loadAhead } from "@/app/routes";

const place = document.getElementById("root");
if (place) {
  loadAhead();
  createRoot(place).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}
