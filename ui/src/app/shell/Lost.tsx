import { Alert } from "@mantine/core";
import { WifiOff } from "lucide-react";
import { useConnection } from "@/api/live";

/** Says so while the server cannot be reached; what is shown stays, and may be old. */
export function Lost() {
  if (useConnection() !== "lost") return null;
  return (
    <Alert color="red" variant="light" icon={<WifiOff size={16} />} mb="md" title="The server does not answer" role="alert">
      What you see may be old. It is tried again and again; is <code>batuta up</code> still running?
    </Alert>
  );
}
