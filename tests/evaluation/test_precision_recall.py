import numpy as np
import pytest
from scipy import stats
from sklearn.neighbors import NearestNeighbors

from evaluation import precision_recall as module
from evaluation.precision_recall import PrecisionRecall

FIGURES = ("precision", "recall", "density", "coverage")


def _reference(real, fake, k=3, density_k=5):
    """All distances in float64, and the definitions word for word."""

    def radii(x, k):
        within = np.array([[np.sqrt(np.sum((a - b) ** 2)) for b in x] for a in x])
        np.fill_diagonal(within, np.inf)
        return np.sort(within, axis=1)[:, k - 1]

    between = np.array([[np.sqrt(np.sum((f - r) ** 2)) for r in real] for f in fake])
    dense = between <= radii(real, density_k)[None]
    return {
        "precision": np.mean(np.any(between <= radii(real, k)[None], axis=1)),
        "recall": np.mean(np.any(between <= radii(fake, k)[:, None], axis=0)),
        "density": np.sum(dense) / (density_k * len(fake)),
        "coverage": np.mean(np.any(dense, axis=0)),
    }


def _details(real, fake, **kwargs):
    return PrecisionRecall(real, **kwargs).evaluate(fake).details


def _assert_same(details, expected):
    for name in FIGURES:
        np.testing.assert_allclose(details[name], expected[name], rtol=1e-12, err_msg=name)


def _sets(n=90, m=70, d=6, seed=0, spread=1.3):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)), rng.normal(0.5, spread, (m, d))


@pytest.mark.parametrize("k, density_k", [(1, 1), (3, 5), (5, 3), (40, 60)])
@pytest.mark.parametrize("spread", [0.5, 1.3])
def test_agrees_with_the_definitions(k, density_k, spread, monkeypatch):
    real, fake = _sets(spread=spread)
    expected = _reference(real, fake, k, density_k)
    _assert_same(_details(real, fake, k=k, density_k=density_k), expected)
    monkeypatch.setattr(module, "ROWS", 11)
    monkeypatch.setattr(module, "COLUMNS", 7)
    monkeypatch.setattr(module, "PAIRS", 5)
    _assert_same(_details(real, fake, k=k, density_k=density_k), expected)


def test_agrees_with_another_search():
    real, fake = _sets(1200, 900, 3, seed=1)
    score = PrecisionRecall(real).evaluate(fake)

    def radii(x, k):
        return NearestNeighbors(n_neighbors=k).fit(x).kneighbors()[0][:, -1]

    index = NearestNeighbors(n_neighbors=len(real)).fit(real)
    distances, columns = index.kneighbors(fake)
    between = np.empty_like(distances)
    np.put_along_axis(between, columns, distances, axis=1)
    dense = between <= radii(real, 5)
    expected = {
        "precision": np.mean(np.any(between <= radii(real, 3), axis=1)),
        "recall": np.mean(np.any(between <= radii(fake, 3)[:, None], axis=0)),
        "density": dense.sum() / (5 * len(fake)),
        "coverage": np.mean(np.any(dense, axis=0)),
    }
    _assert_same(score.details, expected)
    p, r = expected["precision"], expected["recall"]
    np.testing.assert_allclose(score.value, 2 * p * r / (p + r), rtol=1e-12)
    assert 0.3 < p < 1 and 0.3 < r < 1


def test_distances_that_decide_are_exact_where_float32_is_not():
    # Integers around 1e5: |a|^2 + |b|^2 - 2 a.b has no digit left in float32, and all ties are
    # ties to the last bit.
    rng = np.random.default_rng(2)
    real = rng.integers(0, 4, (60, 3)) + 1e5 * rng.integers(0, 2, (60, 1))
    fake = rng.integers(0, 4, (50, 3)) + 1e5 * rng.integers(0, 2, (50, 1))
    _assert_same(_details(real, fake), _reference(real, fake))


def test_samples_of_a_part_of_the_data_have_precision_and_no_recall():
    rng = np.random.default_rng(3)
    left, right = rng.normal(size=(2, 100, 4)) + np.array([[[0.0]], [[50.0]]])
    real = np.concatenate([left, right])
    part = _details(real, left)
    assert part["precision"] == 1.0 and part["recall"] == 0.5 and part["coverage"] == 0.5
    whole = _details(left, real)
    assert whole["precision"] == 0.5 and whole["recall"] == 1.0 and whole["coverage"] == 1.0


def test_a_subset_of_the_data_and_a_superset():
    real, _ = _sets(200, seed=4)
    near = real[np.argsort(np.linalg.norm(real, axis=1))[:40]]
    part = _details(real, near)
    assert part["precision"] == 1.0 and part["recall"] < 0.9
    whole = _details(near, real)
    assert whole["recall"] == 1.0 and whole["precision"] < 0.9


def test_identical_and_disjoint_sets():
    real, _ = _sets(seed=5)
    score = PrecisionRecall(real).evaluate(real[::-1])
    assert score.value == 1.0
    assert [score.details[name] for name in ("precision", "recall", "coverage")] == [1.0] * 3
    # Every ball has its centre and its k neighbours, and no point is between: (k + 1) / k.
    np.testing.assert_allclose(score.details["density"], 6 / 5, rtol=1e-12)
    far = PrecisionRecall(real).evaluate(real + 100)
    assert far.value == 0.0 and set(far.details.values()) == {0.0}


def test_closed_balls_on_a_line_by_hand():
    real, fake = np.array([[0.0], [1.0], [3.0]]), np.array([[-1.0], [5.0], [5.5]])
    # k = 1: radii 1, 1, 2 of the data and 6, .5, .5 of the samples.
    details = _details(real, fake, k=1, density_k=1)
    _assert_same(details, {"precision": 2 / 3, "recall": 1.0, "density": 2 / 3, "coverage": 2 / 3})


def test_one_outlier_moves_precision_and_not_density():
    # Naeem et al., 2020, figure 1: its large ball takes in what lies between.
    rng = np.random.default_rng(6)
    real = np.concatenate([rng.normal(0, 0.1, (200, 2)), [[10.0, 0.0]]])
    fake = rng.normal([5.0, 0.0], 0.3, (100, 2))
    details = _details(real, fake)
    assert details["precision"] == 1.0 and details["density"] == 1 / 5


@pytest.mark.parametrize("copies", [2, 4, 9])
def test_duplicates_count_as_points_of_their_own(copies):
    real, fake = _sets(24, 17, 3, seed=7)
    real = np.concatenate([real, np.repeat(real[:3], copies, axis=0)])
    fake = np.concatenate([fake, np.repeat(fake[:2], copies, axis=0), real[:2]])
    _assert_same(_details(real, fake), _reference(real, fake))


def test_a_collapsed_generator():
    real, _ = _sets(seed=8)
    fake = np.repeat(real[:1], 5000, axis=0)
    score = PrecisionRecall(real).evaluate(fake)
    assert score.details["precision"] == 1.0 and score.details["recall"] == 1 / len(real)
    _assert_same(score.details, _reference(real, fake[:10]))
    assert PrecisionRecall(np.zeros((9, 2))).evaluate(np.zeros((7, 2))).value == 1.0
    assert PrecisionRecall(np.zeros((9, 2))).evaluate(-np.zeros((7, 2))).value == 1.0


def test_outliers_do_not_bring_a_collapsed_generator_before_the_data():
    """One sample far away has a ball that holds the data: recall nears 1 (Naeem et al.)."""
    rng = np.random.default_rng(0)
    angles = np.pi / 4 * np.arange(8)
    centres = 2 * np.stack([np.cos(angles), np.sin(angles)], axis=1)

    def ring(modes, count=400):
        return centres[np.arange(count) % modes] + 0.02 * rng.normal(size=(count, 2))

    measure = PrecisionRecall(ring(8))
    good, one = measure.evaluate(ring(8)), measure.evaluate(ring(1))
    gamed = measure.evaluate(np.concatenate([ring(1)[1:], [[-30.0, 0.0]]]))
    cloud = measure.evaluate(rng.uniform(-3, 3, (400, 2)))
    assert gamed.details["recall"] > 0.99 and gamed.value > good.value
    assert good.better_than(gamed) and gamed.better_than(cloud) and good.better_than(one)
    for score in (good, one, gamed, cloud):
        both = [score.details["precision"], score.details["coverage"]]
        assert score.details["precision_coverage"] == pytest.approx(stats.hmean(both))


def test_the_order_of_samples_does_not_matter():
    real, fake = _sets(seed=9)
    rng = np.random.default_rng(10)
    score = PrecisionRecall(real).evaluate(fake)
    again = PrecisionRecall(real[rng.permutation(90)]).evaluate(fake[rng.permutation(70)])
    assert again.details == score.details and again.value == score.value
    protocol = {"k": 3, "density_k": 5, "samples": 70, "reference_count": 90, "features": 6}
    assert protocol.items() <= score.protocol.items()


class Pixels:
    """Features of 2x2 images: their pixels."""

    image_shape = (2, 2, 1)
    protocol = {"name": "pixels", "layer": "all", "hash": "0"}

    def features(self, images):
        return images.reshape(len(images), 4).astype("float32")


def test_features_come_from_an_extractor():
    images = np.random.default_rng(11).integers(0, 9, (2, 60, 2, 2, 1), dtype=np.uint8)
    details = _details(images[0], images[1], extractor=Pixels())
    _assert_same(details, _reference(*(Pixels().features(part) for part in images)))


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda x: PrecisionRecall(x, k=0), "k=0"),
        (lambda x: PrecisionRecall(x, density_k=2.5), "density_k=2.5"),
        (lambda x: PrecisionRecall(x[:5]), r"\[1, 4\] with 5 reference. Received: density_k=5"),
        (lambda x: PrecisionRecall(x, k=len(x)), "no 90 others.*Received: k=90"),
        (lambda x: PrecisionRecall(x).evaluate(x[:3]), r"\[1, 2\] with 3 samples. Received: k=3"),
        (
            lambda x: PrecisionRecall(x).evaluate(x[:, :2]),
            "`samples` and `reference` have diff",
        ),
        (lambda x: PrecisionRecall(x).evaluate(x * np.nan), "no NaN"),
    ],
)
def test_errors_name_what_was_wrong(call, message):
    with pytest.raises(ValueError, match=message):
        call(_sets()[0])
