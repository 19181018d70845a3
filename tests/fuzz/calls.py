"""The public callables with arguments that are right, by their names."""

from tests.fuzz import drawing_calls, measure_calls, player_calls, trainer_calls

CALLS = {
    name: call
    for calls in (
        drawing_calls.calls,
        player_calls.players,
        player_calls.families,
        player_calls.layers,
        measure_calls.measures,
        measure_calls.numbers,
        trainer_calls.objectives,
        trainer_calls.trainers_of_pairs,
    )
    for name, call in calls()
}
