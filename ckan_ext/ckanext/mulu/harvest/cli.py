"""``ckan mulu harvest …``: what runs harvests, and what an operator types every day as ``mulu harvest …``.

The commands are declared here alone; ``mulu_ops.harvesting`` hands them on. Whoever may type them has the machine, so that they act
as the system; what only the authority decides (``apply``, ``drop``, sources that publish) asks for ``--as`` and is judged by that
person's role.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

HELD, FAILED = 3, 1
"""Exit status of a run that waits for a person, and of one that failed or was stopped."""


@click.group(short_help="汇聚：从各来源取目录。")
def harvest() -> None:
    pass


@harvest.command()
@click.argument("name")
@click.option("--from", "origin", metavar="文件夹或source.yml", help="已有的设置：文件夹、source.yml，或者随本系统提供的来源的名称。")
@click.option("--reader", help="读取方式：ckan、dcat、data_json、datapackage、form、mulu、portal。")
@click.option("--url", help="地址。")
@click.option("--file", "file", type=click.Path(exists=True, path_type=Path), help="来源存成的文件或文件夹；须在允许读取的文件夹里。")
@click.option("--title", help="来源名称，默认为标识。")
@click.option("--department", help="归属部门的标识；不给时按来源逐条写明的部门归属。")
@click.option("--schedule", help="时间表：cron 的五段，北京时间，如“30 2 * * *”。")
@click.option("--create-departments", is_flag=True, help="新建门户中还没有的部门。")
@click.option("--as", "user", metavar="用户名", help="以谁的名义；到达即发布的来源须由主管部门的人员增加。")
def add(
    name: str, origin: str | None, reader: str | None, url: str | None, file: Path | None, title: str | None, department: str | None,
    schedule: str | None, create_departments: bool, user: str | None,
) -> None:  # fmt: skip
    """增加来源 NAME。"""
    with _told():
        settings = _settings_of(origin) if origin else {"title": name}
        given = {"reader": reader, "url": url, "title": title, "organization": department, "schedule": schedule}
        settings |= {key: value for key, value in given.items() if value is not None}
        if create_departments:
            settings["create_departments"] = True
        if file:
            settings["options"] = {**settings.get("options", {}), "path": _readable(file)}
        shown = _call("mulu_harvest_source_create", user, name=name, settings=settings)
        click.echo(f"已增加来源“{shown['title']}”（{name}）。试运行：mulu harvest run {name} --dry-run")


@harvest.command()
@click.argument("name")
@click.option("--dry-run", is_flag=True, help="只说明将新增、变更、撤销和不收哪些，不写入。")
@click.option("--json", "as_json", is_flag=True, help="结束后输出一个 JSON 对象：状态、数量、秒数。")
def run(name: str, dry_run: bool, as_json: bool) -> None:
    """汇聚来源 NAME，等到结束；失败时以 1 退出，须核对时以 3 退出。"""
    from ckanext.mulu.harvest import runs, sources
    from ckanext.mulu.transaction import transaction
    from mulu.people import SYSTEM

    with _told():
        with transaction({}) as touched:
            run_id = runs.ask(sources.get(name, SYSTEM), SYSTEM, touched, dry_run=dry_run, cause="command")
        _to_its_end(run_id, as_json)


@harvest.command("list")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON。")
def list_(as_json: bool) -> None:
    """全部来源，有问题的在前。"""
    with _told():
        found = _call("mulu_harvest_source_list")
        if as_json:
            return _json(found)
        from ckanext.mulu.harvest import words
        from ckanext.mulu.helpers import mulu_time

        for one in found:
            last = mulu_time(one["last_run"]["asked_at"]) if one["last_run"] else "—"
            records = one["records"]
            click.echo(f"{one['name']:<24}{words.SOURCE_STATES[one['state']][0]}　条目 {records['in']}　未收下 {records['quarantined']}　最近 {last}　{one['title']}")
        if not found:
            click.echo("还没有来源。增加：mulu harvest add 标识 --reader ckan --url 网址 --department 部门")


@harvest.command()
@click.argument("name")
def show(name: str) -> None:
    """来源 NAME 的设置、状态和数量（JSON）。"""
    with _told():
        _json(_call("mulu_harvest_source_show", name=name))


@harvest.command()
@click.argument("name")
@click.option("--limit", default=20, show_default=True, help="几次。")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON。")
def history(name: str, limit: int, as_json: bool) -> None:
    """来源 NAME 的历次汇聚，新的在前。"""
    with _told():
        found = _call("mulu_harvest_run_list", name=name, limit=limit)["results"]
        if as_json:
            return _json(found)
        for one in found:
            click.echo(_line(one))


@harvest.command()
@click.argument("name")
@click.option("--limit", default=100, show_default=True, help="几条。")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON。")
def problems(name: str, limit: int, as_json: bool) -> None:
    """来源 NAME 没有收下的条目：原因和在来源中的位置。"""
    with _told():
        found = _call("mulu_harvest_problem_list", name=name, limit=limit)
        if as_json:
            return _json(found)
        for one in found["results"]:
            told = "；".join(problem["message"] for problem in one["problems"] if problem.get("severity") != "warning")
            click.echo(f"{one['where']}《{one['title']}》{told}")
        click.echo(f"共 {found['count']} 条", err=True)


@harvest.command()
@click.argument("name")
@click.option("--as", "user", required=True, metavar="用户名", help="以谁的名义；须为主管部门的人员。")
@click.option("--reason", required=True, help="理由。")
@click.option("--json", "as_json", is_flag=True, help="结束后输出一个 JSON 对象。")
def apply(name: str, user: str, reason: str, as_json: bool) -> None:
    """同意写入来源 NAME 待核对的汇聚，等到写完。"""
    with _told():
        _to_its_end(_decide(name, "apply", user, reason), as_json)


@harvest.command()
@click.argument("name")
@click.option("--as", "user", required=True, metavar="用户名", help="以谁的名义；须为主管部门的人员。")
@click.option("--reason", required=True, help="理由。")
def drop(name: str, user: str, reason: str) -> None:
    """不予写入来源 NAME 待核对的汇聚。"""
    with _told():
        _decide(name, "drop", user, reason)
        click.echo("不予写入。")


@harvest.command()
@click.argument("name")
def stop(name: str) -> None:
    """停止来源 NAME 正在等待或者进行的汇聚。"""
    with _told():
        found = _call("mulu_harvest_run_list", name=name, limit=5)["results"]
        going = next((one for one in found if one["state"] in ("waiting", "running")), None)
        if going is None:
            click.echo("没有在等待或者进行的汇聚。", err=True)
            sys.exit(FAILED)
        stopped = _call("mulu_harvest_run_stop", id=going["id"])["state"] == "stopped"
        click.echo("已停止。" if stopped else "已请它停止，几秒内会停下。")


@harvest.command()
@click.argument("name")
def remove(name: str) -> None:
    """停用来源 NAME；已经收下的条目和汇聚的历史都保留。"""
    with _told():
        _call("mulu_harvest_source_delete", name=name)
        click.echo("已停用。")


@harvest.command(hidden=True)
@click.argument("run_id", metavar="RUN")
def execute(run_id: str) -> None:
    """在前台执行一次汇聚（编号 RUN），结束后输出 JSON；失败时以 1 退出，待核对时以 3 退出。"""
    from ckanext.mulu.harvest.execute import execute as carry_out

    row = carry_out(run_id)
    shown = {key: row[key] for key in ("id", "source", "state", "phase", "counts", "seconds", "reasons", "error")}
    click.echo(json.dumps(shown, ensure_ascii=False))
    sys.exit(_status(row["state"]))


@harvest.command(hidden=True)
@click.option("--once", is_flag=True, help="只处理现在该处理的，全部结束后退出。")
@click.option("--status", is_flag=True, help="有没有到了时间而无人执行的；输出 JSON，有时以 1 退出。")
def work(once: bool, status: bool) -> None:
    """一直运行：按时间表开始各来源的汇聚，接手中断的，同时进行的数量有上限（mulu.harvest_at_once）。"""
    from ckanext.mulu.harvest import worker

    if status:
        found = worker.status()
        click.echo(json.dumps(found, ensure_ascii=False))
        sys.exit(1 if found["late"] else 0)
    worker.loop(once=once)


@contextmanager
def _told() -> Iterator[None]:
    """A refusal is told in sentences, and the command fails."""
    import ckan.plugins.toolkit as tk

    from ckanext.mulu.logic import refusal
    from mulu_harvest.source import SourceError

    try:
        yield
    except tk.ValidationError as error:
        told = [str(problem) for problem in refusal.problems_of(error)]
    except (tk.ObjectNotFound, tk.NotAuthorized) as error:
        told = [str(error.message or error)]
    except SourceError as error:
        told = [problem.message for problem in error.problems] or [str(error)]
    else:
        return
    click.echo("\n".join(told), err=True)
    sys.exit(FAILED)


def _call(action: str, user: str | None = None, **data: Any) -> Any:
    """An action as this user, or as the system."""
    import ckan.plugins.toolkit as tk
    from ckan import model

    if user and model.User.get(user) is None:
        raise tk.ObjectNotFound(f"没有用户“{user}”。")
    context = {"user": user} if user else {"user": "", "ignore_auth": True}
    return tk.get_action(action)(context, data)


def _settings_of(origin: str) -> dict[str, Any]:
    """What a source.yml says. A file beside it is named by its whole path."""
    from mulu_harvest.source import load_source, to_settings

    folder = Path(origin).parent if Path(origin).name == "source.yml" else Path(origin)
    source = load_source(folder if folder.is_dir() else origin)
    settings = to_settings(source)
    if source.file and (folder / source.file).exists():
        settings["file"] = _readable(folder / source.file)
    return settings


def _readable(file: Path) -> str:
    """The file's whole path, if harvests may read it: said now rather than by the first run."""
    from ckanext.mulu.harvest import sources
    from mulu_harvest.source import SourceError

    whole, allowed = file.resolve(), [folder.resolve() for folder in sources.folders()]
    if not any(whole.is_relative_to(folder) for folder in allowed):
        where = "、".join(map(str, allowed)) or "（一个也没有）"
        raise SourceError(f"{whole} 不在允许读取的文件夹里：{where}。请把文件放到那里，或者设置 mulu.harvest_folders（mulu up 时用 MULU_HARVEST_FOLDERS）。")
    return str(whole)


def _decide(name: str, event: str, user: str, reason: str) -> str:
    """The held run's case decided; gives the run's id."""
    import ckan.plugins.toolkit as tk

    found = _call("mulu_harvest_run_list", name=name, limit=20)["results"]
    held = next((one for one in found if one["state"] == "held"), None)
    if held is None:
        raise tk.ObjectNotFound(f"来源 {name} 没有待核对的汇聚。")
    _call("mulu_case_event", user, id=held["case_id"], event=event, data={"reason": reason})
    return str(held["id"])


def _to_its_end(run_id: str, as_json: bool) -> None:
    """Carry the run out here, or wait for the worker that has taken it; then tell, and exit by how it ended."""
    from ckanext.mulu.harvest import watching

    try:
        row = watching.to_its_end(run_id)
    except KeyboardInterrupt:
        watching.give_up(run_id)
        click.echo("\n已请它停止。", err=True)
        sys.exit(130)
    if as_json:
        keys = ("id", "source", "state", "dry_run", "counts", "seconds", "reasons", "error", "case_id")
        click.echo(json.dumps({key: row[key] for key in keys}, ensure_ascii=False))
    else:
        click.echo(_line(row))
        for reason in row["reasons"] if row["state"] == "held" else ():
            click.echo(f"  须核对：{reason['message']}")
    sys.exit(_status(row["state"]))


def _status(state: str) -> int:
    return {"held": HELD, "failed": FAILED, "stopped": FAILED}.get(state, 0)


def _line(row: dict[str, Any]) -> str:
    from ckanext.mulu.harvest import hooks, words
    from ckanext.mulu.helpers import mulu_time

    kind = "试运行" if row["dry_run"] else "汇聚"
    told = row["error"] or hooks.counted(row["counts"]) or "没有读到条目"
    return f"{mulu_time(row['asked_at'])}　{kind}{words.RUN_STATES[row['state']][0]}　{row['seconds']:.1f} 秒　{told}"


def _json(value: Any) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))
