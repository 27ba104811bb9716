/** A baton and the arc that it draws. */
export function Logo({ size = 22 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden>
      <rect width="32" height="32" rx="8" fill="#4a3fc4" />
      <path d="M8 22 22.5 7.5" stroke="#fff" strokeWidth="2.6" strokeLinecap="round" />
      <circle cx="9" cy="21.5" r="3.2" fill="#fff" />
      <path d="M17 23c4.4 0 7-2.2 7-6" stroke="#c9c3ff" strokeWidth="2.2" strokeLinecap="round" fill="none" />
    </svg>
  );
}
