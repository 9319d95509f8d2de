"""Networks of many layers, and of both directions, that play in the page: the map of layers is drawn with the rest."""

from .browser import shown
from .page_work import PageWork, frame_row, spread_of_frames
from .playing import playing
from .table import Findings, Row

SECONDS = 10
SOURCE = """\
from rnnbow_widget import RNNbow, corpora
RNNbow(corpora.c_headers(), seed=0, horizon=None, record_every=10, **{settings})"""
NETWORKS = {
    "one layer": {},
    "12 layers": {"num_layers": 12, "hidden_size": 24},
    "2 layers, both directions": {"num_layers": 2, "bidirectional": True, "hidden_size": 24},
}


def measure() -> Findings:
    rows: list[Row] = []
    notes: list[str] = []
    for name, settings in NETWORKS.items():
        with shown(SOURCE.format(settings=settings)) as page:
            page.set_viewport_size({"width": 1200, "height": 2200})
            with playing(page):
                frames = PageWork(page).of_frames(SECONDS)  # (frames,)
        rows.append(frame_row(f"playing, n=25, k=25, {name}", frames))
        notes.append(spread_of_frames(f"Playing {name}", frames))
    return Findings(rows, notes)
