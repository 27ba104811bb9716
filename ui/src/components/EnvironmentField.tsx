// The environment that something is launched in: one that there is, or a new one by its name.
import { Autocomplete } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { environmentQueries } from "@/api/service";

export function EnvironmentField({ value, onChange }: { value: string; onChange: (name: string) => void }) {
  const { data } = useQuery(environmentQueries.list());
  return (
    <Autocomplete
      label="Environment"
      description="It reads what production has, and writes what is its own; empty: production"
      placeholder="dev_anna"
      data={(data?.items ?? []).map((one) => one.name)}
      value={value}
      onChange={onChange}
    />
  );
}
