"""What stops an operator's command: one clear sentence, no traceback."""

import click


class Missing(click.ClickException):
    """A piece is not there, or a port is taken; the message says what to do."""

    def show(self, file=None) -> None:  # type: ignore[no-untyped-def]
        click.secho(f"✗ {self.message}", fg="red", err=True, file=file)
