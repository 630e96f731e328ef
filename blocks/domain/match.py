"""Which requests are meant, by what they carry."""

from pydantic import Field

from blocks.domain.strict import Strict


class HeaderMatch(Strict):
    """Requests that carry a header with exactly this value; its name is read as HTTP does, whether in capitals or not."""

    name: str = Field(pattern=r"^[A-Za-z0-9!#$%&'*+\-.^_`|~]{1,256}$")
    value: str = Field(pattern=r"^[!-~]([ -~]{0,254}[!-~])?$")
