"""``ckan mulu harvest …``: what runs harvests. What an operator types every day is ``mulu harvest``."""

from __future__ import annotations

import json
import sys

import click


@click.group(short_help="汇聚：从各来源取目录。")
def harvest() -> None:
    pass


@harvest.command()
@click.argument("run")
def execute(run: str) -> None:
    """在前台执行一次运行（编号 RUN），结束后输出 JSON；失败时以 1 退出，待核对时以 3 退出。"""
    from ckanext.mulu.harvest.execute import execute as carry_out

    row = carry_out(run)
    shown = {key: row[key] for key in ("id", "source", "state", "phase", "counts", "seconds", "reasons", "error")}
    click.echo(json.dumps(shown, ensure_ascii=False))
    sys.exit({"held": 3, "failed": 1, "stopped": 1}.get(row["state"], 0))


@harvest.command()
@click.option("--once", is_flag=True, help="只处理现在该处理的运行，全部结束后退出。")
def work(once: bool) -> None:
    """一直运行：按时间表开始各来源的运行，接手中断的运行，同时进行的数量有上限（mulu.harvest_at_once）。"""
    from ckanext.mulu.harvest import worker

    worker.loop(once=once)
