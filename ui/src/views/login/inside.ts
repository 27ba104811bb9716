/** A place of this UI; what leads elsewhere (`//host`, `https:`, `\host`) is its home. */
export function inside(place: string): string {
  let url: URL;
  try {
    url = new URL(place, window.location.origin);
  } catch {
    return "/";
  }
  const within = place.startsWith("/") && url.origin === window.location.origin && !url.pathname.startsWith("/login");
  return within ? `${url.pathname}${url.search}${url.hash}` : "/";
}
