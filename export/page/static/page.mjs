// The page's beginning: what was built in, the two tabs, and what the address says.

import { byId, element } from "./dom.mjs";
import { draws } from "./draws.mjs";
import { engine } from "./engine.mjs";
import { explore } from "./explore.mjs";
import { Game } from "./game.mjs";
import { latent } from "./philox.mjs";
import { generate } from "./runtime.mjs";
import { read, write } from "./state.mjs";
import { train } from "./train.mjs";

const manifest = JSON.parse(byId("manifest").textContent);
const state = read(location.hash, manifest.models);
const tabs = ["explore", "train"];
const trained = train();

function openTab(tab) {
  state.tab = tab;
  for (const name of tabs) {
    const chosen = name === tab;
    byId(name).hidden = !chosen;
    byId(`tab-${name}`).setAttribute("aria-selected", chosen);
    byId(`tab-${name}`).tabIndex = chosen ? 0 : -1;
  }
  history.replaceState(null, "", write(state));
  trained.shown(tab === "train");
}

for (const tab of tabs) {
  byId(`tab-${tab}`).addEventListener("click", () => openTab(tab));
  byId(`tab-${tab}`).addEventListener("keydown", (event) => {
    if (!["ArrowLeft", "ArrowRight"].includes(event.key)) return;
    const other = tabs[1 - tabs.indexOf(tab)];
    openTab(other);
    byId(`tab-${other}`).focus();
  });
}

byId("about").append(
  "Everything runs on this machine, and nothing is fetched or sent. Made with ",
  element("b", { textContent: "GAN Zoo" }),
  `, ${manifest.runtimes.join(", ")}; the texts of their licences lie in `,
  "assets/LICENSES.txt, or in this file where the page is one file. ",
  ...manifest.models.filter((m) => m.license).map((m) => `${m.title}: data under ${m.license}. `),
);

// For the console, and for the tests of the page.
globalThis.ganZoo = { manifest, state, engine, Game, draws, latent, generate };

openTab(state.tab);
explore(state, manifest.models, openTab);
