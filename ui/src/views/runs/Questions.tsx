// What a run asks a person, with a form to answer it.
import { Button, TextInput } from "@mantine/core";
import { MessageCircleQuestion } from "lucide-react";
import { useState } from "react";
import type { Schema } from "@/api/client";
import { useAnswerRun } from "@/api/runs";
import { PermissionGate } from "@/components/PermissionGate";
import { RelativeTime } from "@/components/time";
import classes from "./Questions.module.css";

type Detail = Schema<"RunDetail">;
type Question = Schema<"Question">;

export function Questions({ detail }: { detail: Detail }) {
  return detail.questions.map((question) => <One key={question.task} question={question} detail={detail} />);
}

function One({ question, detail }: { question: Question; detail: Detail }) {
  const { run } = detail;
  const [value, setValue] = useState("");
  const answer = useAnswerRun();
  const give = (given: string) => answer.mutate({ run: run.id, task: question.task, value: given });
  return (
    <form
      className={`b-card ${classes.question}`}
      aria-label={`Question of ${question.task}`}
      onSubmit={(event) => {
        event.preventDefault();
        if (value !== "") give(value);
      }}
    >
      <MessageCircleQuestion size={22} aria-hidden className={classes.icon} />
      <div className={classes.text}>
        <strong>{question.text || "It waits for an answer"}</strong>
        <span className="b-dim">
          {question.task} {question.asked_at && <RelativeTime at={question.asked_at} />}
        </span>
      </div>
      <div className={classes.answer}>
        <PermissionGate role="operator" location={run.location}>
          <Button loading={answer.isPending} onClick={() => give("true")}>
            Yes
          </Button>
        </PermissionGate>
        <PermissionGate role="operator" location={run.location}>
          <Button variant="default" disabled={answer.isPending} onClick={() => give("false")}>
            No
          </Button>
        </PermissionGate>
        <TextInput
          aria-label="Another answer"
          placeholder="Another answer"
          value={value}
          onChange={(event) => setValue(event.currentTarget.value)}
        />
        <PermissionGate role="operator" location={run.location}>
          <Button type="submit" variant="default" disabled={value === "" || answer.isPending}>
            Answer
          </Button>
        </PermissionGate>
      </div>
    </form>
  );
}
