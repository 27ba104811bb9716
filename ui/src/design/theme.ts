// The look of Mantine's components: colours, type, density. Everything of our own is in tokens.css.
import { createTheme, rem, type MantineColorsTuple } from "@mantine/core";

const iris: MantineColorsTuple = [
  "#f0effc", "#dfdcf7", "#bdb7ee", "#9990e4", "#6f62d6", "#6658d7", "#5548c8", "#4a3fc4", "#3f35a8", "#332b8c",
];
const gray: MantineColorsTuple = [
  "#f8f8fb", "#f1f1f6", "#e6e7ee", "#d9dbe5", "#c4c7d4", "#a3a7b8", "#73778a", "#5a5d6f", "#3f4252", "#23252f",
];
const dark: MantineColorsTuple = [
  "#e8e9f0", "#c8cad6", "#a6a9ba", "#8b8fa3", "#3b3f4d", "#2c303b", "#20232b", "#15171c", "#101116", "#0b0c10",
];
// Of buttons that cannot be taken back: what is written on them can be read in both schemes.
const red: MantineColorsTuple = [
  "#fdeae9", "#fbd0cd", "#f7b0ab", "#f99b95", "#ff918b", "#e35450", "#d63a35", "#b3261e", "#96201a", "#771a15",
];

export const theme = createTheme({
  primaryColor: "iris",
  primaryShade: { light: 7, dark: 4 },
  autoContrast: true,
  colors: { iris, gray, dark, red },
  black: "#1c1d26",
  fontFamily: "'Inter Variable', system-ui, -apple-system, 'Segoe UI', sans-serif",
  fontFamilyMonospace: "'JetBrains Mono Variable', ui-monospace, SFMono-Regular, Menlo, Consolas, monospace",
  headings: {
    fontWeight: "620",
    sizes: {
      h1: { fontSize: rem(21), lineHeight: "1.3" },
      h2: { fontSize: rem(16), lineHeight: "1.35" },
      h3: { fontSize: rem(14), lineHeight: "1.4" },
    },
  },
  fontSizes: { xs: rem(12), sm: rem(13), md: rem(14), lg: rem(16), xl: rem(19) },
  defaultRadius: "sm",
  radius: { xs: rem(4), sm: rem(6), md: rem(9), lg: rem(12) },
  cursorType: "pointer",
  respectReducedMotion: true,
  components: {
    Button: { defaultProps: { size: "xs" } },
    ActionIcon: { defaultProps: { variant: "subtle", color: "gray" } },
    TextInput: { defaultProps: { size: "xs" } },
    PasswordInput: { defaultProps: { size: "sm" } },
    Select: { defaultProps: { size: "xs" } },
    Tooltip: { defaultProps: { openDelay: 350, withArrow: true } },
    Menu: { defaultProps: { shadow: "md", withinPortal: true } },
    Notification: { defaultProps: { closeButtonProps: { "aria-label": "Close the message" } } },
    Modal: { defaultProps: { centered: true, radius: "md" } },
  },
});
