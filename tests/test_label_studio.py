"""The app as a backend of Label Studio: its SDK reads the predictions, and every refusal."""

from __future__ import annotations

import asyncio
import base64
import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import numpy as np
import pytest
from fake_engine import fake_pipeline
from PIL import Image
from served import embedded
from studio_server import PERSONAL, TOKEN, studio_server

import gemma_vision
from gemma_vision.images.limits import ImageError
from gemma_vision.web.api.label_studio.door import (
    ADDRESS,
    files_of_environment,
    label_studio_routes,
)
from gemma_vision.web.api.label_studio.label_config import LabelConfigError, read_config
from gemma_vision.web.api.label_studio.prediction_run import (
    CallError,
    PredictCall,
    PredictionRun,
    read_call,
)
from gemma_vision.web.api.label_studio.task_pictures import StudioFiles
from gemma_vision.web.api.openai.call_line import CallLine
from postprocess.datasets.brush import unpack_brush
from postprocess.errors import UserError
from postprocess.mask_formats import fill

SCENE = Path(gemma_vision.__path__[0]) / "web" / "examples" / "scene-1.jpg"
CONFIG = """<View><!-- what is there -->
  <Image name="pic" value="$photo"/>
  <RectangleLabels name="boxes" toName="pic">
    <Label value="Cat"/><Label value="Doggy" predicted_values="dog, puppy"/>
  </RectangleLabels>
  <BrushLabels name="areas" toName="pic"><Label value="Cat"/></BrushLabels>
  <PolygonLabels name="outlines" toName="pic">
    <Label value="A dog" alias="hund" predicted_values="dog"/>
  </PolygonLabels>
  <Choices name="good" toName="pic"><Choice value="yes"/></Choices>
</View>"""
BOXES = CONFIG[: CONFIG.index("  <BrushLabels")] + "</View>"
UPLOAD = "/data/upload/3/scene 1.jpg"


@pytest.fixture(scope="module")
def studio():
    with studio_server({"/data/upload/3/scene%201.jpg": SCENE.read_bytes()}) as server:
        yield server


@pytest.fixture(scope="module")
def url(studio) -> str:
    return f"{embedded(**{ADDRESS: studio.address}).url}label-studio/"


def ask(url: str, tasks: list[dict[str, Any]], config: str = CONFIG, **more: Any) -> httpx.Response:
    """As Label Studio asks."""
    params = {"login": None, "password": None, "context": None}
    body = {"tasks": tasks, "project": "1.1700000000", "label_config": config, "params": params}
    return httpx.post(f"{url}predict", json=body | more, timeout=120)


def data_address(image: Image.Image) -> str:
    file = io.BytesIO()
    image.save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


@pytest.fixture(scope="module")
def predicted(url) -> list[dict[str, Any]]:
    """Two tasks, one with a picture of Label Studio's, one with a picture of nothing."""
    plain = data_address(Image.new("RGB", (60, 40), "#77aadd"))
    reply = ask(url, [{"id": 7, "data": {"photo": UPLOAD}}, {"id": 8, "data": {"photo": plain}}])
    assert reply.status_code == 200, reply.text
    assert reply.json()["model_version"] == "tiny"
    results: list[dict[str, Any]] = reply.json()["results"]
    return results


def expected() -> dict[str, Any]:
    found = gemma_vision.load().segment(SCENE, "cat ; dog ; puppy").instances
    by_name = {one.label: one for one in found}
    assert set(by_name) == {"cat", "dog"} and len(found) == 2
    return by_name


def test_things_are_boxes_masks_and_outlines_at_the_projects_labels(predicted):
    by_name, results = expected(), predicted[0]["result"]
    told = {(one["from_name"], *one["value"][one["type"]]) for one in results}
    assert told == {("boxes", "Cat"), ("boxes", "Doggy"), ("areas", "Cat"), ("outlines", "hund")}
    for one in results:
        size = (one["original_width"], one["original_height"])
        thing = by_name["cat" if one["value"][one["type"]] == ["Cat"] else "dog"]
        assert one["score"] == pytest.approx(thing.score, abs=1e-6) and one["to_name"] == "pic"
        value = one["value"]
        if one["type"] == "rectanglelabels":
            corner = np.array([value["x"], value["y"]])
            far = corner + np.array([value["width"], value["height"]])
            edges = [*corner, *far]
            assert np.array(edges) * [*size, *size] / 100 == pytest.approx(np.array(thing.box))
        elif one["type"] == "brushlabels":
            assert np.array_equal(unpack_brush(value["rle"], size), thing.mask)
    rings = [one["value"]["points"] for one in results if one["type"] == "polygonlabels"]
    drawn = fill([(np.array(ring) * size / 100).tolist() for ring in rings], size)
    wanted = by_name["dog"].mask
    assert (drawn & wanted).sum() / (drawn | wanted).sum() > 0.95
    assert len({one["id"] for one in results}) == len(results)


def test_a_predictions_score_is_the_mean_of_its_results(predicted):
    scores = [one["score"] for one in predicted[0]["result"]]
    assert predicted[0]["score"] == pytest.approx(sum(scores) / len(scores))
    assert predicted[0]["model_version"] == "tiny"
    assert predicted[1]["result"] == [] and "score" not in predicted[1]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the SDK's own classes
def test_label_studios_own_sdk_finds_every_result_in_its_place(predicted):
    from label_studio_sdk.label_interface import LabelInterface

    interface = LabelInterface(CONFIG)
    shapes = {"rectanglelabels", "brushlabels"}  # it takes a polygon for a single point
    checked = [one for one in predicted[0]["result"] if one["type"] in shapes]
    assert len(checked) == 3
    for one in checked:
        assert interface.validate_region(one), one
    wrong = predicted[0]["result"][0] | {"from_name": "outlines"}
    assert not interface.validate_region(wrong)


def test_an_interactive_call_asks_for_the_label_that_was_drawn(url):
    drawn = {"type": "rectanglelabels", "value": {"x": 1, "y": 2, "rectanglelabels": ["Doggy"]}}
    reply = ask(
        url,
        [{"id": 7, "data": {"photo": UPLOAD}}],
        params={"context": {"result": [drawn]}},
    )
    labels = {one["value"][one["type"]][0] for one in reply.json()["results"][0]["result"]}
    assert labels == {"Doggy"}


def test_it_lives_is_set_up_and_has_one_version(url):
    assert httpx.get(f"{url}health").json()["status"] == "UP"
    assert httpx.get(url).status_code == 200
    setup = {"project": "1.17", "schema": CONFIG, "hostname": "http://127.0.0.1:1"}
    assert httpx.post(f"{url}setup", json=setup).json() == {"model_version": "tiny"}
    assert httpx.get(f"{url}versions").json() == {"versions": ["tiny"]}
    assert httpx.post(f"{url}webhook", json={"action": "START_TRAINING"}).status_code == 201
    assert httpx.get(f"{url}nothing").status_code == 404


def test_one_picture_that_cannot_be_had_leaves_the_others_their_predictions(url):
    tasks = [
        {"id": n, "data": {"photo": name}} for n, name in enumerate(["/data/none.jpg", UPLOAD])
    ]
    missing, found = ask(url, tasks).json()["results"]
    assert missing["result"] == [] and len(found["result"]) == 4
    alone = ask(url, tasks[:1])
    assert alone.status_code == 400
    assert "did not give the picture (404)" in alone.json()["message"]


@pytest.mark.parametrize(
    "body, said",
    [
        pytest.param(b"{", "no JSON", id="no json"),
        pytest.param(b"[]", "JSON object", id="a list"),
        pytest.param(b"{}", "tasks", id="no tasks"),
        pytest.param(b'{"tasks": []}', "tasks", id="none"),
        pytest.param(b'{"tasks": [3]}', "Every task", id="a number"),
        pytest.param(b'{"tasks": [{"data": 3}]}', "Every task", id="no data"),
        pytest.param(b'{"tasks": [{"data": {}}]}', "label_config", id="no config"),
        pytest.param(b"[" * 90_000, "no JSON", id="deep"),
        pytest.param(
            b'{"tasks": [{"data": {}}], "label_config": "<View/>"}', "none of", id="empty"
        ),
    ],
)
def test_a_call_that_is_none_is_refused_in_a_sentence(body, said, url):
    reply = httpx.post(f"{url}predict", content=body)
    assert reply.status_code == 400 and said in reply.json()["message"]
    with pytest.raises((CallError, LabelConfigError), match=said):
        read_call(body)


@pytest.mark.parametrize(
    "config",
    [
        pytest.param("<View>", id="cut off"),
        pytest.param("<!DOCTYPE x [<!ENTITY a 'a'>]><View>&a;</View>", id="entities"),
        pytest.param("<View>" * 50_000 + "</View>" * 50_000, id="deep"),
        pytest.param(BOXES.replace('toName="pic"', 'toName="other"'), id="another object"),
        pytest.param(BOXES.replace('value="$photo"', 'valueList="$photos"'), id="many pictures"),
        pytest.param(BOXES.replace("RectangleLabels", "EllipseLabels"), id="ellipses"),
        pytest.param("<View><Image name='a' value='$b'/><RectangleLabels/></View>", id="bare"),
        pytest.param("x" * (2**20 + 1), id="long"),
    ],
)
def test_an_interface_in_which_nothing_can_be_predicted_is_refused(config):
    with pytest.raises(LabelConfigError):
        read_config(config)


def run_of(config: str, tasks: list[Any], pipeline: Any = None) -> PredictionRun:
    """A run over a scripted model."""
    call = PredictCall(tuple({"data": one} for one in tasks), read_config(config))
    return PredictionRun(pipeline or fake_pipeline(), StudioFiles("http://127.0.0.1:1"), call)


def test_a_checkpoint_without_masks_gives_the_boxes_and_refuses_masks_alone():
    pipeline = fake_pipeline(tasks=["detect"])
    picture = data_address(Image.new("RGB", (64, 48)))
    *_, done = run_of(CONFIG, [{"photo": picture}], pipeline).predictions()
    assert {one["type"] for one in done[0]["result"]} == {"rectanglelabels"}
    brushes = BOXES.replace("RectangleLabels", "BrushLabels")
    with pytest.raises(LabelConfigError, match="finds nothing for brushlabels"):
        run_of(brushes, [{"photo": picture}], pipeline)


def test_a_checkpoint_that_knows_none_of_the_labels_says_so():
    pipeline = fake_pipeline()
    pipeline.card["names"] = ["tree"]
    with pytest.raises(UserError, match="It knows tree"):
        run_of(BOXES, [{"photo": "x"}], pipeline)


def test_a_chosen_label_that_nobody_is_asked_for_is_refused():
    call = PredictCall(({"data": {"photo": "x"}},), read_config(BOXES), ("Nobody",))
    with pytest.raises(LabelConfigError, match="that were chosen"):
        PredictionRun(fake_pipeline(), StudioFiles("http://127.0.0.1:1"), call)


def test_batches_are_asked_together():
    pipeline = fake_pipeline()
    picture = data_address(Image.new("RGB", (64, 48)))
    sizes = [len(done) for done in run_of(BOXES, [{"photo": picture}] * 11, pipeline).predictions()]
    assert sizes == [8, 11]


PICTURE = b"the bytes of a picture"


@pytest.fixture
def guarded():
    """A Label Studio that wants a token, and a storage that must not be given one."""
    with studio_server({"/signed/a.png": PICTURE}) as storage:
        files = {"/data/upload/1/a.png": PICTURE, "/data/local-files/": PICTURE}
        with studio_server(files) as studio:
            studio.storage = storage.address
            yield studio, storage


@pytest.mark.parametrize("token", [TOKEN, PERSONAL])
@pytest.mark.parametrize(
    "named",
    [
        pytest.param("/data/upload/1/a.png", id="upload"),
        pytest.param("upload/1/a.png", id="key"),
        pytest.param("/data/local-files/?d=pictures/a.png", id="local file"),
        pytest.param("s3://bucket/folder/a.png", id="cloud"),
        pytest.param("{studio}/data/upload/1/a.png", id="whole address"),
    ],
)
def test_files_of_label_studio_are_fetched_with_its_token_alone(named, token, guarded):
    studio, storage = guarded
    files = StudioFiles(studio.address, token)
    assert files.fetch(named.format(studio=studio.address), 5) == PICTURE
    assert files.fetch(named.format(studio=studio.address), 5) == PICTURE
    assert [given for _, given in storage.asked] in ([], [None, None])
    refreshed = [path for path, _ in studio.asked if "token" in path]
    assert len(refreshed) == (1 if token == PERSONAL else 0)
    assert token not in repr(files)


@pytest.mark.parametrize(
    "named",
    [
        pytest.param("http://127.0.0.1:9/a.png", id="another port"),
        pytest.param("http://169.254.169.254/latest", id="another host"),
        pytest.param("//127.0.0.1:9/a.png", id="no scheme"),
        pytest.param("file:///etc/passwd", id="a file"),
        pytest.param("ftp://127.0.0.1/a.png", id="ftp"),
        pytest.param("{studio}@127.0.0.1:9/a.png", id="a name before the host"),
        pytest.param("{studio}.example.org/a.png", id="a host that begins so"),
        pytest.param("http:/a.png", id="no host"),
        pytest.param("/data/upload/1/a.png\r\nX-Own: 1", id="a header"),
        pytest.param("\\\\127.0.0.1:9\\a", id="backslashes"),
        pytest.param("http://[", id="no address"),
        pytest.param("data:image/png,abc", id="data without base64"),
        pytest.param("data:image/png;base64,???", id="damaged data"),
        pytest.param(None, id="nothing"),
        pytest.param(["/data/upload/1/a.png"], id="a list"),
    ],
)
def test_nothing_else_is_fetched(named, guarded):
    studio, storage = guarded
    named = named.format(studio=studio.address) if isinstance(named, str) else named
    with pytest.raises(ImageError):
        StudioFiles(studio.address, TOKEN).fetch(named, 5)
    assert storage.asked == []
    assert {path for path, _ in studio.asked} <= {"/data/upload/1/a.png%0D%0AX-Own:%201"} | {
        path for path, _ in studio.asked if "127.0.0.1:9" in path and path.startswith("/")
    }


def test_a_redirect_to_no_address_of_the_web_is_not_followed(guarded):
    studio, _ = guarded
    studio.storage = "file:///etc"
    with pytest.raises(ImageError):
        StudioFiles(studio.address, TOKEN).fetch("s3://bucket/passwd", 5)


def test_the_door_is_shut_where_no_label_studio_is_named(monkeypatch):
    monkeypatch.delenv(ADDRESS, raising=False)
    assert files_of_environment() is None
    line = CallLine(SimpleNamespace(event_queue_per_concurrency_id={}), 4)
    (route,) = label_studio_routes(SimpleNamespace(), line)
    reply = asyncio.run(route.endpoint(None))
    assert reply.status_code == 404 and ADDRESS in reply.body.decode()
    monkeypatch.setenv(ADDRESS, "127.0.0.1:8080")
    with pytest.raises(UserError, match="http://HOST:PORT"):
        files_of_environment()
