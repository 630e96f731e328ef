"""Which requests are meant, by what they carry."""

from pydantic import Field

from blocks.domain.strict import Strict


class HeaderMatch(Strict):
    """Requests that carry a header with exactly this value; its name is read as HTTP does, whether in capitals or not."""

    name: str = Field(pattern=r"^[A-Za-z0-9!#$%&'*+\-.^_`|~]{1,256}$")
    value: str = Field(pattern=r"^[!-~]([ -~]{0,254}[!-~])?$")


class CookieMatch(Strict):
    """Requests that carry a cookie with exactly this value, wherever it stands among others."""

    name: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")
    value: str = Field(pattern=r"^[A-Za-z0-9_.~:%=/-]{1,256}$")

    @property
    def expression(self) -> str:
        """What the whole header with all cookies looks like; of all that a value may have only the dot means something else."""
        value = self.value.replace(".", r"\.")
        return f"(.*; *)?{self.name}={value}(;.*)?"
