"""Every answer that is not a success, in one form: RFC 9457 `application/problem+json`.

To give an error a status of its own: name it in `STATUS`; the nearest class in its family tree decides.
"""

import math
from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from blocks.domain.asking import KeyReused
from blocks.domain.deployment import NotDescribed
from blocks.domain.errors import PipelineError, Refused, Terminal, Transient
from deployments.api.fields import FieldProblem, name_problems
from deployments.api.identity import Forbidden, Unauthenticated

MEDIA_TYPE = "application/problem+json"
KIND = "urn:plugin-pipeline:problem:"


class Unknown(Terminal):
    """What was asked for is not there, or not for this caller to see."""

    code = "not-found"


class NotPlannedYet(Transient):
    """The plan is still being made: it fits how things stand to ask again, so this is a conflict and no fault of the server."""

    code = "not-planned-yet"


STATUS: Mapping[type[PipelineError], HTTPStatus] = MappingProxyType(
    {
        Unauthenticated: HTTPStatus.UNAUTHORIZED,
        Forbidden: HTTPStatus.FORBIDDEN,
        Unknown: HTTPStatus.NOT_FOUND,
        NotPlannedYet: HTTPStatus.CONFLICT,
        KeyReused: HTTPStatus.UNPROCESSABLE_ENTITY,
        NotDescribed: HTTPStatus.UNPROCESSABLE_ENTITY,
        Refused: HTTPStatus.BAD_GATEWAY,
        Terminal: HTTPStatus.CONFLICT,
        Transient: HTTPStatus.SERVICE_UNAVAILABLE,
        PipelineError: HTTPStatus.INTERNAL_SERVER_ERROR,
    }
)


class Problem(BaseModel):
    """Why there is no success: a sentence for people, a type for programs, and each field that is wrong."""

    type: str = Field(examples=[f"{KIND}invalid-request"])
    title: str = Field(examples=["Unprocessable Entity"])
    status: int = Field(examples=[422])
    detail: str = Field(examples=["1 field is not right"])
    hint: str = ""
    instance: str = Field(examples=["/api/v1/plugins/install"])
    errors: list[FieldProblem] = []


def problem_response(
    path: str, status: HTTPStatus, code: str, error: PipelineError, fields: list[FieldProblem] | None = None
) -> JSONResponse:
    """The problem as an answer to a request for this path."""
    body = Problem(
        type=f"{KIND}{code}",
        title=status.phrase,
        status=status,
        detail=error.message,
        hint=error.hint,
        instance=path,
        errors=fields or [],
    )
    return JSONResponse(body.model_dump(exclude_defaults=True), status, _headers_of(error), MEDIA_TYPE)


def explain_error(path: str, error: PipelineError) -> JSONResponse:
    """An error of ours as an answer; its class decides the status."""
    status = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
    return problem_response(path, status, error.code, error)


def explain_crash(path: str, request_id: str) -> JSONResponse:
    """What a caller is told of an error that nobody foresaw: nothing but where to look."""
    told = PipelineError("something went wrong here that nobody foresaw", f"the server's log has it under request {request_id}")
    return problem_response(path, HTTPStatus.INTERNAL_SERVER_ERROR, "internal", told)


def install_problems(app: FastAPI) -> None:
    """Let every error of this app leave it as a problem."""
    app.add_exception_handler(PipelineError, _on_pipeline_error)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(HTTPException, _on_http_exception)


async def _on_pipeline_error(request: Request, error: Any) -> JSONResponse:
    return explain_error(request.url.path, error)


async def _on_invalid_request(request: Request, error: Any) -> JSONResponse:
    fields = name_problems(error.errors())
    count = "1 field is" if len(fields) == 1 else f"{len(fields)} fields are"
    told = PipelineError(f"{count} not right", "nothing was begun; mend what errors names and send it again")
    return problem_response(request.url.path, HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-request", told, fields)


async def _on_http_exception(request: Request, error: Any) -> JSONResponse:
    status = HTTPStatus(error.status_code)
    told = PipelineError(f"{request.method} {request.url.path}: {status.phrase.lower()}", "see /api/docs for what there is")
    answer = problem_response(request.url.path, status, status.phrase.lower().replace(" ", "-"), told)
    answer.headers.update(error.headers or {})
    return answer


def _headers_of(error: PipelineError) -> dict[str, str]:
    match error:
        case Unauthenticated():
            described = error.message.encode("ascii", "replace").decode().translate({34: "'", 92: "/"})
            return {"WWW-Authenticate": f'Bearer realm="plugin-pipeline", error="invalid_token", error_description="{described}"'}
        case Forbidden():
            return {"WWW-Authenticate": 'Bearer realm="plugin-pipeline", error="insufficient_scope"'}
        case Transient():
            return {"Retry-After": str(max(1, math.ceil(error.retry_after)))}
    return {}
