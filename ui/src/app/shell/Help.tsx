import { Modal } from "@mantine/core";
import { keysOf, useShortcuts, type Shortcut } from "@/app/shortcuts";
import classes from "./Help.module.css";

const LISTS: Shortcut[] = [
  { keys: "j", label: "Next row", group: "In a list" },
  { keys: "k", label: "Row before", group: "In a list" },
  { keys: "Enter", label: "Open the row", group: "In a list" },
  { keys: "Space", label: "Select the row", group: "In a list" },
];
const ORDER = ["This page", "Everywhere", "Go to", "In a list"];

/** The keys that are heard right now. */
export function Help({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const all = [...useShortcuts(), ...LISTS];
  return (
    <Modal opened={opened} onClose={onClose} title="Keyboard shortcuts" size="lg" closeButtonProps={{ "aria-label": "Close" }}>
      <div className={classes.groups}>
        {ORDER.map((group) => {
          const shown = all.filter((each) => each.group === group);
          return shown.length === 0 ? null : (
            <section key={group}>
              <h3>{group}</h3>
              <dl>
                {shown.map((each) => (
                  <div key={each.keys}>
                    <dt>{each.label}</dt>
                    <dd>
                      {keysOf(each.keys).map((key, at) => (
                        <kbd key={at}>{key}</kbd>
                      ))}
                    </dd>
                  </div>
                ))}
              </dl>
            </section>
          );
        })}
      </div>
    </Modal>
  );
}
