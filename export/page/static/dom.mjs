// Small helpers: elements, a group of choices, and work that follows the animation frames.

export const byId = (id) => document.getElementById(id);

export function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

// Choices of which one holds, as radio buttons: the keyboard's arrows and screen readers know them.
export function chips(container, options, chosen, choose) {
  container.replaceChildren(
    ...options.map(({ value, text, title = "", disabled = false }) => {
      const input = element("input", {
        type: "radio",
        name: container.id,
        value,
        checked: value === chosen,
        disabled,
      });
      input.addEventListener("change", () => choose(value));
      return element("label", { title }, input, element("span", { textContent: text }));
    }),
  );
}

// Says above the first tab's cards what failed; `null` takes it off.
export function report(error) {
  const status = byId("status");
  status.classList.toggle("failed", error !== null);
  status.textContent = error === null ? "" : `This does not work here: ${error.message ?? error}`;
}

// The function to call whenever something has changed: `work` runs in the next frame, never twice
// at once, and once more when there was a change meanwhile. `onError` has what failed, and `null`
// when the same work is done again.
export function follow(work, onError = report) {
  let [busy, wanted, broken] = [false, false, false];
  async function turn() {
    if (busy || !wanted) return;
    [busy, wanted] = [true, false];
    try {
      await work();
      if (broken) onError(null);
      broken = false;
    } catch (error) {
      broken = true;
      onError(error);
    } finally {
      busy = false;
      if (wanted) requestAnimationFrame(turn);
    }
  }
  return () => {
    wanted = true;
    if (!busy) requestAnimationFrame(turn);
  };
}
