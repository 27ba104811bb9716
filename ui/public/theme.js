// Before the first paint: the colour scheme that was chosen here, else the system's. Inline scripts are not allowed.
(function () {
  var chosen = null;
  try {
    chosen = localStorage.getItem("batuta.scheme");
  } catch (error) {
    // Without storage the system's scheme is used.
  }
  var dark = chosen === "dark" || (chosen !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.setAttribute("data-mantine-color-scheme", dark ? "dark" : "light");
})();
