import MarkdownToJsx, { type MarkdownToJSX } from "markdown-to-jsx/react";
import type { ComponentProps } from "react";
import { CodeBlock } from "@/components/CodeBlock";

const SAFE = /^(https?:|mailto:|#|\/(?!\/))/i;

const options: MarkdownToJSX.Options = {
  disableParsingRawHTML: true,
  sanitizer: (value) => (SAFE.test(value.trim()) ? value : null),
  overrides: { a: Anchor, img: Picture, pre: Block },
};

export default function Rendered({ text }: { text: string }) {
  return <MarkdownToJsx options={options}>{text}</MarkdownToJsx>;
}

function Anchor({ href, children, title }: ComponentProps<"a">) {
  if (!href) return <>{children}</>;
  const elsewhere = !href.startsWith("/") && !href.startsWith("#");
  return (
    <a href={href} title={title} {...(elsewhere ? { target: "_blank", rel: "noreferrer noopener" } : {})}>
      {children}
    </a>
  );
}

/** Pictures from elsewhere are not loaded (the server's policy says so): a link in their place. */
function Picture({ src, alt }: ComponentProps<"img">) {
  return typeof src === "string" && src ? <Anchor href={src}>{alt || src}</Anchor> : <>{alt}</>;
}

function Block({ children }: ComponentProps<"pre">) {
  const code = (children as { props?: { children?: unknown; className?: string } } | undefined)?.props;
  const language = /lang(?:uage)?-(\w+)/.exec(code?.className ?? "")?.[1];
  return <CodeBlock text={String(code?.children ?? "")} language={language} />;
}
