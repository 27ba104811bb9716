/** Put a text on the clipboard; also where the page has no secure context, and so no clipboard of the modern kind. */
export async function copy(text: string): Promise<void> {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text);
    return;
  }
  const area = document.createElement("textarea");
  area.value = text;
  area.setAttribute("aria-hidden", "true");
  area.className = "b-offscreen";
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}
