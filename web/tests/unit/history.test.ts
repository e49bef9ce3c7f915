import { expect, test } from "vitest";
import { History } from "../../src/volunteer/history.ts";

test("undo goes back step by step, and redo forward", () => {
  const history = new History("empty");
  history.push("one");
  history.push("two");
  expect(history.undo()).toBe(true);
  expect(history.now).toBe("one");
  expect(history.undo()).toBe(true);
  expect(history.now).toBe("empty");
  expect(history.undo()).toBe(false);
  expect(history.redo()).toBe(true);
  expect(history.now).toBe("one");
});

test("a new change forgets what was undone", () => {
  const history = new History(0);
  history.push(1);
  history.undo();
  history.push(2);
  expect(history.canRedo).toBe(false);
  expect(history.now).toBe(2);
});

test("a tag moved in many steps is one undo", () => {
  const history = new History(0);
  history.push(1);
  for (const step of [2, 3, 4]) history.push(step, "move a");
  history.push(5, "move b");
  history.undo();
  expect(history.now).toBe(4);
  history.undo();
  expect(history.now).toBe(1);
});
