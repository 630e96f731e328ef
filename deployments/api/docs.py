"""The description of the API as one page that needs nothing from elsewhere: no script, no other host."""

import json
from collections.abc import Iterator
from html import escape
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

router = APIRouter(include_in_schema=False)
POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"
STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1a1a1a }
pre, code { font: 14px/1.4 ui-monospace, monospace; background: #f2f2f2 }
pre { padding: .75rem; overflow-x: auto }
section { border-top: 1px solid #ccc; margin-top: 2rem }
td, th { text-align: left; vertical-align: top; padding: .2rem 1rem .2rem 0 }
"""


@router.get("/api/docs", response_class=HTMLResponse)
async def read_docs(request: Request) -> HTMLResponse:
    """The description as a page."""
    return HTMLResponse(render_docs(request.app.openapi()), headers={"Content-Security-Policy": POLICY})


def render_docs(described: dict[str, Any]) -> str:
    """The page for an OpenAPI document; every text in it is escaped."""
    told = described["info"]
    operations = "".join(
        _render_operation(f"{method.upper()} {path}", operation)
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
    )
    schemas = "".join(_render_schema(name, schema) for name, schema in described["components"]["schemas"].items())
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(told["title"])}</title><style>{STYLE}</style>'
        f"<h1>{escape(told['title'])} {escape(told['version'])}</h1>{_paragraph(told['description'])}"
        f'<p>For programs: <a href="/api/openapi.json">openapi.json</a></p>{operations}<h2>Shapes</h2>{schemas}</html>'
    )


def _render_operation(title: str, operation: dict[str, Any]) -> str:
    parts = [f"<section><h2><code>{escape(title)}</code></h2>", _paragraph(operation.get("description", ""))]
    parts += [_render_parameters(operation.get("parameters", [])), *_render_examples(operation)]
    answers = "".join(
        f"<tr><td>{escape(status)}</td><td>{escape(answer['description'])}</td><td>{_links(answer.get('content', {}))}</td></tr>"
        for status, answer in operation["responses"].items()
    )
    return "".join([*parts, f"<h3>Answers</h3><table>{answers}</table></section>"])


def _render_parameters(parameters: list[dict[str, Any]]) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(one['name'])}</code></td><td>{escape(one['in'])}</td><td>{_type_of(one['schema'])}</td>"
        f"<td>{escape(one.get('description', ''))}</td></tr>"
        for one in parameters
    )
    return f"<h3>Parameters</h3><table>{rows}</table>" if rows else ""


def _render_examples(operation: dict[str, Any]) -> Iterator[str]:
    for media in operation.get("requestBody", {}).get("content", {}).values():
        yield f"<h3>Body</h3>{_links({'': media})}"
        for example in media.get("examples", {}).values():
            yield f"{_paragraph(example['summary'])}<pre>{escape(json.dumps(example['value'], indent=2))}</pre>"


def _render_schema(name: str, schema: dict[str, Any]) -> str:
    needed = schema.get("required", [])
    rows = "".join(
        f"<tr><td><code>{escape(field)}</code></td><td>{_type_of(shape)}</td><td>{'needed' if field in needed else ''}</td>"
        f"<td>{escape(shape.get('description', ''))}</td></tr>"
        for field, shape in schema.get("properties", {}).items()
    )
    values = escape(", ".join(map(str, schema.get("enum", []))))
    told = _paragraph(schema.get("description", ""))
    return f'<section id="{escape(name)}"><h3>{escape(name)}</h3>{told}{values}<table>{rows}</table></section>'


def _links(content: dict[str, Any]) -> str:
    return " ".join(_type_of(media.get("schema", {})) for media in content.values())


def _type_of(shape: dict[str, Any]) -> str:
    if reference := shape.get("$ref"):
        name = escape(reference.rsplit("/", 1)[-1])
        return f'<a href="#{name}">{name}</a>'
    for several in ("anyOf", "oneOf"):
        if several in shape:
            return " or ".join(_type_of(one) for one in shape[several])
    if "items" in shape:
        return f"list of {_type_of(shape['items'])}"
    return escape(str(shape.get("const", shape.get("type", "any JSON"))) + (f" {shape['enum']}" if "enum" in shape else ""))


def _paragraph(text: str) -> str:
    return "".join(f"<p>{escape(part)}</p>" for part in text.split("\n\n") if part)
