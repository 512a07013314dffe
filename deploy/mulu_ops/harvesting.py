"""`mulu harvest …`: the commands of `ckan mulu harvest …` on this machine's portal. What they take is declared there, once."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from mulu_ops import portal
from mulu_ops.errors import Missing
from mulu_ops.settings import Settings


class Harvest(click.Group):
    """The portal's commands, loaded when somebody asks for one."""

    @property
    def _there(self) -> Mapping[str, click.Command]:
        from ckanext.mulu.harvest.cli import harvest

        return {name: command for name, command in harvest.commands.items() if not command.hidden}

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self._there)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        command = self._there.get(cmd_name)
        return Forwarded(command) if command else None


class Forwarded(click.Command):
    """Knows the options and the help of a command of the portal; run, it hands on what was typed, from the folder where it was."""

    def __init__(self, command: click.Command) -> None:
        super().__init__(command.name, params=command.params, help=command.help, callback=self._hand_on)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta["mulu.typed"] = list(args)
        return super().parse_args(ctx, args)

    def _hand_on(self, **_: Any) -> None:
        settings, typed = Settings.read(), click.get_current_context().meta["mulu.typed"]
        if not settings.ini("demo").exists():
            raise Missing("门户还没有建立：请先运行 mulu up（或 make demo）。")
        sys.exit(portal.ckan_here(settings, "demo", "mulu", "harvest", str(self.name), *typed, folder=Path.cwd()))
