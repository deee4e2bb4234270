"""`environment.yml` of conda: what of it `uv` can install, and what it cannot.

Names of conda are not those of Python's index. Only what is known to be the same project there is taken: a name that is not may belong
to a stranger.
"""

import re
from dataclasses import dataclass, field

from agor_jupyter.documents.settings import marked

_SPEC = re.compile(r"(?:[\w./-]+::)?([A-Za-z0-9_][\w.-]*)\s*(.*)")
_VERSION = re.compile(r"(?:(?:[<>]=?|[=!~]=)\s*[\w.*+!-]+,?\s*)+")
_NAMES = """
aiohttp altair anyio arrow attrs beautifulsoup4 black bokeh boto3 bottleneck build cachetools click cloudpickle coverage cython
dask dask-expr dbt-core distributed dill django duckdb fastapi filelock flake8 flask fsspec geopandas gitpython great-expectations
greenlet h5py holoviews httpx hvplot hypothesis imageio ipykernel ipython ipywidgets isort jinja2 joblib jsonschema jupyter
jupyter_client jupyter_core jupyterlab kedro keras lightgbm lxml markdown markupsafe matplotlib mlflow mypy nbconvert nbformat
networkx nltk notebook numba numexpr numpy openpyxl optuna orjson packaging pandas pandera panel papermill param patsy pillow
plotly polars pre-commit prefect psutil psycopg2 pyarrow pydantic pygments pyspark pytest pytest-cov python-dateutil pytz pyyaml
rasterio requests rich ruff s3fs scikit-image scikit-learn scipy seaborn setuptools shapely six spacy sphinx sqlalchemy sqlglot
statsmodels streamlit sympy tabulate tensorflow tenacity toml toolz tornado tox tqdm traitlets transformers typer
typing_extensions typing-extensions tzdata ujson urllib3 uvicorn wheel xarray xgboost xlrd xlsxwriter zarr
"""
_SAME = frozenset(_NAMES.split())
_OTHER_NAME = {
    "matplotlib-base": "matplotlib",
    "pytorch": "torch",
    "dask-core": "dask",
    "jupyterlab_server": "jupyterlab-server",
    "seaborn-base": "seaborn",
    "python-duckdb": "duckdb",
    "py-xgboost": "xgboost",
    "msgpack-python": "msgpack",
    "prefect-core": "prefect",
    "dagster": "dagster",
}


@dataclass(kw_only=True)
class Conda:
    """`requirements` are lines as pip writes them. `left_out` are conda's own."""

    requirements: list[str] = field(default_factory=list)
    requires_python: str | None = None
    """As `pyproject.toml` writes it, such as `==3.11.*`."""
    left_out: list[str] = field(default_factory=list)


def read(content: bytes, file: str) -> Conda:
    """Raises `BadSettings`."""
    value = marked.read(content, file, has_anchors=True).value
    entries = value.get("dependencies") if isinstance(value, dict) else None
    found = Conda()
    for entry in entries if isinstance(entries, list) else []:
        if isinstance(entry, str):
            _take(entry.strip(), found)
        elif isinstance(entry, dict) and isinstance(lines := entry.get("pip"), list):
            found.requirements += [line for line in lines if isinstance(line, str) and "\n" not in line]
    return found


def _take(entry: str, found: Conda) -> None:
    spec = _SPEC.fullmatch(entry)
    if spec is None:
        found.left_out.append(entry[:80])
        return
    name, version = spec[1].lower(), spec[2].split("[")[0].strip()
    if name in {"pip", "conda", "nomkl"}:
        return
    wanted = _OTHER_NAME.get(name) or (name if name in _SAME or name == "python" else None)
    written = _version(version)
    if wanted is None or written is None:
        found.left_out.append(entry[:80])
    elif name == "python":
        found.requires_python = written or None
    else:
        found.requirements.append(f"{wanted}{written}")


def _version(text: str) -> str | None:
    """As pip writes it: `=1.2` is any 1.2, a build such as `=py311_0` says nothing there. `None`: it cannot be said."""
    if not text or text == "*":
        return ""
    exact = re.fullmatch(r"(==?|\s*)\s*(\d[\w.!+]*?)(\.?\*)?(?:[= ][\w.*]+)?", text)
    if exact is not None:
        is_any = (exact[1] != "==" and not re.fullmatch(r"=[^= ]+=[^=]+", text)) or exact[3]
        return f"=={exact[2]}.*" if is_any else f"=={exact[2]}"
    return text.replace(" ", "") if _VERSION.fullmatch(text) else None
