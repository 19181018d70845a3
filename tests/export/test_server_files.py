"""What stands beside a served model: read by the server's own protocol buffers, and by a shell."""

import json
import shlex

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format
from tensorflow_serving.config import model_server_config_pb2

import zoo
from export import server_files

ROW = {"seed": 1, "labels": 0}


def batching_parameters():
    """The message of tensorflow_serving/servables/tensorflow/session_bundle_config.proto."""
    kinds = descriptor_pb2.FieldDescriptorProto
    wrappers = "google.protobuf.Int64Value"
    file = descriptor_pb2.FileDescriptorProto(
        name="batching.proto", package="t", syntax="proto3", dependency=["wrappers.proto"]
    )
    value = descriptor_pb2.FileDescriptorProto(
        name="wrappers.proto", package="google.protobuf", syntax="proto3"
    )
    number = value.message_type.add(name="Int64Value").field.add(name="value", number=1)
    number.type, number.label = kinds.TYPE_INT64, kinds.LABEL_OPTIONAL
    message = file.message_type.add(name="BatchingParameters")
    fields = ["max_batch_size", "batch_timeout_micros", "max_enqueued_batches"]
    for place, name in enumerate(fields, 1):
        field = message.field.add(name=name, number=place, type_name=f".{wrappers}")
        field.type, field.label = kinds.TYPE_MESSAGE, kinds.LABEL_OPTIONAL
    field = message.field.add(name="allowed_batch_sizes", number=6)
    field.type, field.label = kinds.TYPE_INT64, kinds.LABEL_REPEATED
    pool = descriptor_pool.DescriptorPool()
    for given in (value, file):
        pool.Add(given)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("t.BatchingParameters"))()


def test_batching_as_the_server_reads_it():
    read = text_format.Parse(server_files.batching(), batching_parameters())
    sizes = list(read.allowed_batch_sizes)
    assert sizes == sorted(set(sizes)) and sizes[0] == 1
    assert sizes[-1] == read.max_batch_size.value == 64  # Else the server does not start.
    assert read.batch_timeout_micros.value == 0


def test_models_and_monitoring_as_the_server_reads_them(tmp_path):
    files = server_files.write(tmp_path, tmp_path / "my digits", ROW)
    config = model_server_config_pb2.ModelServerConfig()
    text_format.Parse(files["models.config"].read_text(), config)
    (model,) = config.model_config_list.config
    assert (model.name, model.base_path) == ("my_digits", "/models/my_digits")
    assert model.model_platform == "tensorflow"
    assert 'path: "/monitoring/prometheus/metrics"' in files["monitoring.config"].read_text()


@pytest.mark.parametrize(
    "folder, name",
    [
        ("digits", "digits"),
        ("my digits", "my_digits"),
        ("a:b", "a_b"),
        ("100 % ü?#", "100_"),
        ("v1.0-x_y", "v1.0-x_y"),
    ],
)
def test_a_name_that_a_url_takes(tmp_path, folder, name):
    assert server_files.served_name(tmp_path / folder) == name


def shell(text, command):
    """The words of a command as a shell reads them."""
    line = text.replace("\\\n", " ").split("\n")
    (found,) = [x for x in line if x.strip().startswith(command)]
    return shlex.split(found)


@pytest.mark.parametrize("folder", ["digits", "it's my digits", 'a:b "c"', "$HOME"])
def test_commands_are_what_a_shell_reads(tmp_path, folder):
    served = tmp_path / folder
    text = server_files.how_to_serve(served, ROW)
    name = server_files.served_name(served)
    words = shell(text, "tensorflow_model_server")
    assert f"--model_base_path={served}" in words and f"--model_name={name}" in words
    words = shell(text, "docker")
    if ":" in folder:
        mount = words[words.index("--mount") + 1]
        quoted = str(served).replace('"', '""')
        assert mount == f'type=bind,"source={quoted}",target=/models/{name}'
    else:
        assert words[words.index("-v") + 1] == f"{served}:/models/{name}"
    assert f"MODEL_NAME={name}" in words and "--enable_model_warmup" in words
    words = shell(text, "curl")
    assert json.loads(words[2]) == {"signature_name": "sample", "instances": [ROW]}
    assert words[3] == f"http://localhost:8501/v1/models/{name}:predict"


def test_a_request_has_what_the_player_takes():
    request = server_files.request
    plain = zoo.MLPGenerator((2,), 3, (4,))
    assert request(plain.traits) == {"seed": 1}
    assert request(zoo.MLPGenerator((2,), 3, (4,), num_classes=3).traits) == ROW
    told = zoo.MLPGenerator((2,), 3, (4,), num_conditions=2)
    assert request(told.traits) == {"seed": 1, "conditions": [0.0, 0.0]}


def test_a_default_of_seeds_is_asked_without_its_name(tmp_path):
    """But by its name in the file that stays when versions with another default come."""
    for default, named in (("latents", "sample"), ("sample", "sample"), ("sample_png",) * 2):
        printed = shell(server_files.how_to_serve(tmp_path, ROW, default), "curl")
        asked = json.loads(printed[2])
        assert asked.pop("signature_name", None) == ("sample" if default == "latents" else None)
        assert asked == {"instances": [ROW]}
        text = server_files.write(tmp_path, tmp_path, ROW, default)["README.md"].read_text()
        kept = json.loads(shell(text, "curl")[2])
        assert kept == {"signature_name": named, "instances": [ROW]}


def test_the_readme_has_the_commands(tmp_path):
    folder = tmp_path / "it's digits"
    text = server_files.write(tmp_path, folder, ROW)["README.md"].read_text()
    assert text.startswith("# it_s_digits\n")
    assert shell(text, "docker run") == shell(server_files.how_to_serve(folder, ROW), "docker run")
    assert shell(text, "python -m export check")[-1] == str(folder)
