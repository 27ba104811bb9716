import { ActionIcon, Tooltip } from "@mantine/core";
import { Check, Copy } from "lucide-react";
import { useEffect, useState } from "react";
import { copy } from "@/components/copy";

/** Copies a text; a tick says that it did. */
export function CopyButton({ text, label = "Copy", size = 14 }: { text: string; label?: string; size?: number }) {
  const [done, setDone] = useState(false);
  useEffect(() => {
    if (!done) return;
    const timer = setTimeout(() => setDone(false), 1_500);
    return () => clearTimeout(timer);
  }, [done]);
  return (
    <Tooltip label={done ? "Copied" : label}>
      <ActionIcon size={size + 10} onClick={() => void copy(text).then(() => setDone(true))} aria-label={label}>
        {done ? <Check size={size} /> : <Copy size={size} />}
      </ActionIcon>
    </Tooltip>
  );
}
