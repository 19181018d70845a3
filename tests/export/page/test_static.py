"""The page's own JavaScript: the constants of Python's draws, and, with node, its answers.

The page is tested in a browser by `make page-test`; this is what a machine without one can hold.
"""

import json
import re
import shutil
import subprocess

import numpy as np
import pytest

import zoo
from export import portable_draw
from export.page import assembly, packing
from zoo import philox, pixels, random

STATIC = assembly.STATIC
SEEDS = [0, 1, 7, 12345, 2**32, 2**40 + 7, -1, -5, 2**53 - 1, 2**63 - 1, -(2**63)]

needs_node = pytest.mark.skipif(
    shutil.which("node") is None,
    reason="node is not installed: the page's JavaScript is NOT compared with Python here. "
    "apt-get install nodejs",
)


def node(script, *modules):
    """What a script prints as JSON; `modules` are those whose names it uses."""
    imports = "".join(f'import * as {name} from "{STATIC / name}.mjs";\n' for name in modules)
    result = subprocess.run(
        ["node", "--input-type=module", "-"],
        input=f"{imports}console.log(JSON.stringify({script}))",
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def numbers(text):
    return [float(n) for n in re.findall(r"(?<![\w.])-?\d+\.?\d*(?:e-?\d+)?", text)]


def test_the_constants_are_those_of_python():
    text = (STATIC / "philox.mjs").read_text()
    words = [int(word, 16) for word in re.findall(r"0x[0-9a-f]{8}", text)]
    scramble = [random.SCRAMBLE & 0xFFFFFFFF, random.SCRAMBLE >> 32]
    assert words[:6] == [*philox.MULTIPLIERS, *philox.KEY_STEPS, *scramble]
    for name in ("CENTRAL", "MIDDLE", "TAIL"):
        block = text[text.index(f"const {name} = [") :].split("];")[0]
        expected = [c for side in getattr(portable_draw, name) for c in side]
        assert numbers(block.split("=", 1)[1]) == expected, name


def test_the_toys_are_those_of_python():
    text = (STATIC / "mixture.mjs").read_text()
    for name, arguments in (("ring", "modes = 8, radius = 2"), ("grid", "side = 5, spacing = 2")):
        toy = zoo.toys.get(name)
        assert f"function {name}({arguments})" in text
        assert f"{name}: {{ centres: {name}(), scale: {toy.scales[0]:g}," in text


@needs_node
@pytest.mark.parametrize("prior", ["normal", "uniform"])
def test_a_seed_gives_pythons_latent(prior):
    told = json.dumps([str(seed) for seed in SEEDS])
    found = node(f"{told}.map((seed) => [...philox.latent('{prior}', 67, seed)])", "philox")
    expected = random.draw_rows(prior, 67, np.array(SEEDS, "int64")).numpy()
    np.testing.assert_allclose(found, expected, atol=5e-7, rtol=0)
    assert np.mean(np.float32(found) == expected) > (0.5 if prior == "normal" else 0.999)


@needs_node
def test_the_normals_far_from_0():
    """Every branch of the quantile: the largest of many draws are beyond 4."""
    found = node("[...philox.normals([3, 5], 400000)]", "philox")
    seed = (5 << 32) + 3
    expected = random.draw_rows("normal", 400_000, np.array([seed])).numpy()[0]
    assert np.abs(expected).max() > 4.5
    np.testing.assert_allclose(found, expected, atol=2e-6, rtol=0)


@needs_node
def test_levels_are_pythons():
    values = np.float32([*np.linspace(0, 1, 1021), *((np.arange(255) + 0.5) / 255)])
    told = json.dumps(values.astype(float).tolist())
    found = node(f"{told}.map((x) => picture.level(x))", "picture")
    np.testing.assert_array_equal(found, pixels.to_pixels(values))


@needs_node
def test_walks_and_sums_are_pythons():
    a, b, c, d = zoo.latents.from_seed("normal", 4, 12, seed=3)
    told = json.dumps([x.astype(float).tolist() for x in np.asarray([a, b, c, d])])
    steps = json.dumps([k / 4 for k in range(5)])
    found = node(
        f"(() => {{ const [a, b, c, d] = {told}; const t = {steps};"
        "const list = (x) => [...x];"
        "return [t.map((s) => list(latents.between('normal', a, b, s))),"
        "t.map((s) => list(latents.between('uniform', a, b, s))),"
        "t.flatMap((y) => t.map((x) => list(latents.within('normal', [a, b, c, d], x, y)))),"
        "list(latents.arithmetic('normal', a, b, c))]; })()",
        "latents",
    )
    spherical, linear, plane, total = found
    walk = zoo.latents.walk
    np.testing.assert_allclose(spherical, walk(a, b, steps=5, mode="spherical"), atol=1e-6)
    np.testing.assert_allclose(linear, walk(a, b, steps=5, mode="linear"), atol=1e-6)
    np.testing.assert_allclose(total, zoo.latents.arithmetic(a, b, c, rescale=True), atol=1e-6)
    top, bottom = (walk(*ends, steps=5, mode="spherical") for ends in ((a, b), (c, d)))
    columns = [walk(x, y, steps=5, mode="spherical") for x, y in zip(top, bottom, strict=True)]
    expected = np.stack(columns, axis=1).reshape(25, 12)
    np.testing.assert_allclose(plane, expected, atol=1e-6)


@needs_node
@pytest.mark.parametrize("split", [False, True])
def test_the_page_reads_what_python_packs(split):
    content = np.random.default_rng(0).bytes(4001)
    script = f"globalThis.{packing.script('part', content, split)}"
    found = node(
        f"await (async () => {{ globalThis.ganZooAssets ??= {{}}; {script}; return ["
        "...await assets.bytes('part')]; })()",
        "assets",
    )
    assert bytes(found) == content


@needs_node
def test_seeds_that_are_none():
    told = json.dumps(["7", " -5 ", "+3", str(2**63 - 1), str(2**63), "1.5", "abc", "", "1e3"])
    found = node(f"{told}.map((x) => state.parseSeed(x)?.toString() ?? null)", "state")
    assert found == ["7", "-5", "3", str(2**63 - 1), None, None, None, None, None]


@needs_node
def test_a_link_says_all_and_survives_nonsense():
    models = '[{name: "a", num_classes: 10}, {name: "b", num_classes: null}]'
    script = f"""(() => {{
      const models = {models};
      const text = (hash) => state.write(state.read(hash, models));
      return ["#model=a&seed=-5&class=3&x=0.500&y=0.250", "#model=b&seed=9&tab=train",
        "", "#model=zzz&seed=x&class=99&x=7&y=-1&tab=no"].map(text);
    }})()"""
    assert node(script, "state") == [
        "#model=a&seed=-5&class=3&x=0.500&y=0.250",
        "#model=b&seed=9&tab=train",
        "#model=a&seed=0&class=3",
        "#model=a&seed=0&class=0",
    ]


# A document, frames that are called by hand, a clock, and a TensorFlow.js of which all is empty.
STUBS = """
  const elements = {};
  const made = (properties) => ({
    textContent: "", listeners: {}, children: [], ...properties,
    addEventListener(kind, work) { this.listeners[kind] = work; },
    append(...more) { for (const child of more) child?.onload?.(); this.children.push(...more); },
    replaceChildren(...all) { this.children = all; },
    querySelector: () => ({ focus() {} }),
    getContext: () => anything,
    width: 9, height: 9,
  });
  const anything = new Proxy(function () {}, {
    get: (_, key) => {
      if (key === "then") return undefined;
      if (key === Symbol.toPrimitive) return () => 0;
      if (key === "dataSync") return () => new Float32Array(800);
      if (key === "map") return () => [];
      if (key === "tidy") return (work) => work();
      return anything;
    },
    set: () => true,
    apply: () => anything,
  });
  let [clock, last] = [0, 0];
  const frames = new Map();
  globalThis.tf = anything;
  globalThis.ImageData = class { data = []; };
  globalThis.document = {
    getElementById: (id) => (elements[id] ??= made({ id })),
    createElement: () => made({}),
    head: made({}),
  };
  globalThis.performance = { now: () => (clock += 9) };
  globalThis.requestAnimationFrame = (work) => (frames.set(++last, work), last);
  globalThis.cancelAnimationFrame = (id) => frames.delete(id);
  const turn = () => {
    const now = [...frames.values()];
    frames.clear();
    for (const work of now) work(clock);
  };
  const unpacking = () => elements.verdict?.textContent.includes("unpacked");
  const settle = async () => {
    for (let i = 0; i < 4 || (unpacking() && i < 2000); i++) {
      await new Promise((done) => setTimeout(done, 5));
    }
  };
  const click = (id) => elements[id].listeners.click();
"""


def game(script):
    """What a script says that uses the second tab, with the stand-ins of above."""
    names = ("tf.es2017.min.js", "tf-backend-wasm.es2017.min.js", "tfjs-backend-wasm-simd.wasm")
    parts = "".join(packing.script(name, b"1") for name in names)
    parts = f"globalThis.ganZooAssets ??= {{}};\n{parts}"
    return node(f"await (async () => {{ {parts} {STUBS} {script} }})()", "train")


@needs_node
def test_the_game_has_one_loop_of_frames():
    """However often it is started; and a click while the library is unpacked undoes none before."""
    found = game("""
      const counts = [];
      const { shown } = train.train();
      shown(true);
      click("run");
      const waits = elements.verdict.textContent;
      click("run");
      await settle();
      counts.push(frames.size, elements.run.textContent);
      for (const id of ["collapse", "cure", "again", "cure"]) {
        click(id);
        await settle();
        counts.push(frames.size);
        turn();
        counts.push(frames.size);
      }
      shown(false);
      turn();
      counts.push(frames.size);
      shown(true);
      shown(true);
      await settle();
      counts.push(frames.size);
      click("run");
      await settle();
      return [waits, ...counts, frames.size, elements.run.textContent];
    """)
    assert found == [
        "TensorFlow.js is being unpacked …",
        *(1, "Pause"),
        *[1] * 8,
        *(0, 1),
        *(0, "Go on"),
    ]


@needs_node
def test_the_games_speed_after_other_data():
    """Data that are chosen while it runs begin another game: steps a second are never below 0."""
    found = game("""
      const speeds = [];
      const { shown } = train.train();
      shown(true);
      click("run");
      await settle();
      const run = () => {
        for (let i = 0; i < 60; i++) {
          turn();
          speeds.push(elements["meter-speed"].textContent);
        }
      };
      run();
      const grid = elements.toys.children[1].children[0];
      grid.listeners.change();
      await settle();
      run();
      return speeds.map(String);
    """)
    numbers = [float(speed) for speed in found if speed != "–"]
    assert len(numbers) > 50 and min(numbers) > 0
    assert found[60] == "–" and found[-1] != "–"


@needs_node
def test_work_that_fails_is_said_and_taken_off():
    found = node(
        f"""await (async () => {{ {STUBS}
      const [told, faults] = [[], [new Error("no memory"), null, null]];
      const work = async () => {{ const fault = faults.shift(); if (fault) throw fault; }};
      const again = dom.follow(work, (error) => told.push(error && error.message));
      for (let i = 0; i < 3; i++) {{ again(); turn(); await settle(); }}
      return told;
    }})()""",
        "dom",
    )
    assert found == ["no memory", None]
