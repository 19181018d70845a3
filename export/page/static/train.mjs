// The second tab: a game of two small networks that is played while one looks on.

import { byId, chips } from "./dom.mjs";
import { draws } from "./draws.mjs";
import { engine } from "./engine.mjs";
import { Game, OBJECTIVES, RULES } from "./game.mjs";
import { points, reached, TOYS } from "./mixture.mjs";
import { normals } from "./philox.mjs";
import { call } from "./players.mjs";
import { lattice, Stage, surface, timeline } from "./stage.mjs";
import { EXPLAINED, NAMES, verdict } from "./words.mjs";

// D learns more slowly than G, as where data are hard: with equal rates this ring hardly collapses.
const RATES = { generator: 3e-3, discriminator: 4e-4 };
const MADE = 400; // Points of the generator that are drawn, always of the same latents.
const SHOWN = 240; // Points of the data that are drawn.
const FRAME = 26; // Milliseconds of a frame that go to steps.
const EVERY = 4; // Frames from one surface to the next.
const KEPT = 240; // Entries of the history.
const QUIET = 2000; // Milliseconds between two sentences, for who has them read aloud.
const NOISE = { first: 0.5, last: 0.05, steps: 3000 };

export function train() {
  const chosen = { toy: "ring", objective: "non_saturating", rule: "plain" };
  const stage = new Stage(byId("stage"));
  let [tf, game, run, running, visible] = [null, null, 0, false, false];
  let [entries, picture, frames, ruleSince] = [[], null, 0, 0];
  let [asked, since] = [0, { time: 0, steps: 0 }]; // The frame to come; where the speed begins.
  let [said, wanted] = [-Infinity, null]; // When the sentence was; what waits for the library.
  let fixed = null; // Latents of the points that are drawn, and the surface's lattice.

  const toy = () => TOYS[chosen.toy];
  const data = () => points(toy(), SHOWN, [1, 0xda7a]);

  async function ready() {
    tf ??= await engine();
    if (!game) restart();
  }

  function restart() {
    game?.dispose();
    tf.dispose(fixed);
    game = new Game(tf, { rates: RATES, run });
    fixed = {
      latents: tf.tensor(normals([0, 0xf1bed], 2 * MADE), [MADE, 2]),
      lattice: tf.tensor(lattice(toy().reach), [lattice(1).length / 2, 2]),
    };
    [entries, picture, frames, ruleSince] = [[], null, 0, 0];
    count();
    byId("meter-speed").textContent = "–";
    say("", true);
    draw(true);
  }

  // The scale of instance noise, which decays from the step at which the rule was chosen.
  function noise() {
    if (!RULES[chosen.rule].noise) return 0;
    const gone = Math.min(1, (game.steps - ruleSince) / NOISE.steps);
    return NOISE.first + gone * (NOISE.last - NOISE.first);
  }

  function step() {
    const drawn = draws(tf, toy(), run, game.steps);
    const { objective, rule } = chosen;
    game.step(drawn, { objective, rule: RULES[rule], noise: noise() });
    tf.dispose(drawn);
  }

  function draw(withSurface) {
    const [made, logits] = tf.tidy(() => [
      call(tf, game.generator, fixed.latents).dataSync(),
      withSurface ? call(tf, game.discriminator, fixed.lattice).dataSync() : null,
    ]);
    if (logits) picture = surface(logits);
    const { counts, good } = reached(toy(), made);
    const hit = counts.map((count) => (count >= MADE / 100 ? count : 0));
    stage.draw({ toy: toy(), picture, data: data(), made, counts: hit });
    const modes = hit.filter(Boolean).length;
    byId("meter-steps").textContent = game.steps.toLocaleString("en");
    byId("meter-modes").textContent = `${modes} of ${toy().centres.length}`;
    byId("meter-good").textContent = `${Math.round(100 * good)} %`;
    if (withSurface && game.steps) {
      entries.push({ modes: modes / toy().centres.length, good });
      if (entries.length > KEPT) entries = entries.filter((_, i) => i % 2);
      timeline(byId("history"), entries);
      const all = toy().centres.length;
      say(verdict(chosen, made, modes, all, good, game.steps));
    }
  }

  // The sentence below the stage, which is read aloud: only what is new, and not too often.
  function say(text, atOnce = false) {
    const now = performance.now();
    if (!atOnce && now - said < QUIET) return;
    said = atOnce ? -Infinity : now;
    if (byId("verdict").textContent !== text) byId("verdict").textContent = text;
  }

  function failed(error) {
    playing(false);
    say(`This does not work here: ${error.message ?? error}`, true);
  }

  // Steps a second are counted from here.
  function count() {
    since = { time: performance.now(), steps: game?.steps ?? 0 };
  }

  // One loop at a time: who asks for a frame takes back what was asked for before.
  function next() {
    cancelAnimationFrame(asked);
    asked = requestAnimationFrame(frame);
  }

  function frame() {
    if (!running || !visible) return;
    try {
      const end = performance.now() + FRAME;
      do step();
      while (performance.now() < end);
      draw(frames++ % EVERY === 0);
    } catch (error) {
      failed(error);
      return;
    }
    const passed = performance.now() - since.time;
    if (passed > 1000) {
      byId("meter-speed").textContent = Math.round((1000 * (game.steps - since.steps)) / passed);
      count();
    }
    next();
  }

  function playing(on) {
    running = on;
    byId("run").textContent = on ? "Pause" : game?.steps ? "Go on" : "Start";
    count();
    if (on) next();
    else cancelAnimationFrame(asked);
  }

  function choices() {
    const group = (name, all, after = () => {}) =>
      chips(
        byId(`${name}s`),
        Object.keys(all).map((value) => ({ value, text: NAMES[value], title: EXPLAINED[value] })),
        chosen[name],
        (value) => {
          chosen[name] = value;
          after();
          choices();
          byId(`${name}s`).querySelector("input:checked").focus();
        },
      );
    group("toy", TOYS, () => game && restart());
    group("objective", OBJECTIVES, () => {
      if (!goTogether()) chosen.rule = "plain";
    });
    group("rule", RULES, () => {
      ruleSince = game?.steps ?? 0;
      if (!goTogether()) chosen.objective = "non_saturating";
    });
    byId("explain").textContent = `${EXPLAINED[chosen.objective]} ${EXPLAINED[chosen.rule]}`;
  }

  // A penalty of the slope, differentiated twice more, is what the library does not do.
  function goTogether() {
    const { unroll, consensus } = RULES[chosen.rule];
    return !(OBJECTIVES[chosen.objective].slope && (unroll || consensus));
  }

  // Does what was asked for last, once the library is there.
  async function act(work) {
    const first = !wanted;
    wanted = work;
    if (!first) return;
    try {
      if (!game) {
        say("TensorFlow.js is being unpacked …", true);
        await ready();
      }
      wanted();
    } catch (error) {
      failed(error);
    } finally {
      wanted = null;
    }
  }

  byId("run").addEventListener("click", () => act(() => playing(!running)));
  byId("once").addEventListener("click", () =>
    act(() => {
      playing(false);
      said = -Infinity;
      step();
      draw(true);
      playing(false);
    }),
  );
  byId("again").addEventListener("click", () =>
    act(() => {
      run++;
      restart();
      playing(running);
    }),
  );
  // Both from the same weights and with the same draws: only the rule is another one.
  for (const [name, rule] of [
    ["collapse", "plain"],
    ["cure", "r1"],
  ]) {
    byId(name).addEventListener("click", () =>
      act(() => {
        Object.assign(chosen, { toy: "ring", objective: "non_saturating", rule });
        run = 0;
        choices();
        restart();
        playing(true);
      }),
    );
  }
  choices();

  return {
    // What the tab does when it comes into sight, and when it goes.
    shown(now) {
      visible = now;
      if (now) act(wanted ?? (() => running && playing(true)));
    },
  };
}
