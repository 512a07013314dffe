"""``ckan mulu …``: what needs the database itself. What an operator types every day is the command ``mulu``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import ckan.plugins.toolkit as tk
import click

from ckanext.mulu.harvest.cli import harvest


@click.group(short_help="目录：快照、索引、历史、时限、汇聚。")
def mulu() -> None:
    pass


mulu.add_command(harvest)


@mulu.command()
@click.argument("file", type=click.Path(dir_okay=False, writable=True, path_type=Path))
@click.option("--demo", is_flag=True, help="在快照里注明是演示数据。")
def snapshot(file: Path, demo: bool) -> None:
    """把已发布的目录写成快照文件（公共网站由它生成）。"""
    from ckanext.mulu.snapshot import write

    click.echo(f"{write(file, demo=demo)} 条")


@mulu.command()
def drift() -> None:
    """数据库与检索索引是否一致；不一致时列出并以 1 退出。"""
    from ckanext.mulu.drift import compare

    found = compare()
    click.echo(json.dumps(found, ensure_ascii=False))
    sys.exit(1 if any(found.values()) else 0)


@mulu.command()
def reindex() -> None:
    """只修补与数据库不一致的索引条目。"""
    from ckanext.mulu.drift import mend

    click.echo(f"{mend()} 条")


@mulu.command("verify-chain")
def verify_chain() -> None:
    """核对全部事项记录的校验链；有改动时列出并以 1 退出。"""
    from ckanext.mulu.model.history import broken

    found = list(broken())
    for line in found:
        click.echo(line)
    click.echo("校验链完整" if not found else f"{len(found)} 处与校验链不符")
    sys.exit(1 if found else 0)


@mulu.command()
def tick() -> None:
    """计算时限：提醒、逾期、上报、重新计算暂定日期。可以重复运行。"""
    from ckanext.mulu import cases
    from ckanext.mulu.notices import clockwork

    taken, failed = clockwork.let_time_pass(cases.now())
    click.echo(f"{taken} 步")
    if failed:
        click.echo(f"没有办成的事项：{'、'.join(failed)}", err=True)
        sys.exit(1)


@mulu.command()
@click.option("--once", is_flag=True, help="只运行一遍：时限、自动发现、发送通知；输出 JSON。")
@click.option("--status", is_flag=True, help="最近一次运行和待发、没有送达的通知；输出 JSON，有问题时以 1 退出。")
@click.option("--retry", is_flag=True, help="重新发送没有送达的邮件。")
def clockwork(once: bool, status: bool, retry: bool) -> None:
    """时钟：每分钟发送通知，每小时计算时限；停机期间漏掉的，启动后补上。"""
    from ckanext.mulu.notices import clockwork as works
    from ckanext.mulu.notices import outbox

    if status:
        found = works.status()
        click.echo(json.dumps(found | {"given_up": outbox.given_up(20)}, ensure_ascii=False, default=str))
        sys.exit(1 if found["late"] or found["mail"]["mail_given_up"] else 0)
    elif retry:
        click.echo(f"{outbox.try_again()} 件，下一分钟重新发送")
    elif once:
        click.echo(json.dumps(works.run(), ensure_ascii=False))
    else:
        works.loop()


@mulu.command()
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="公共网站的文件夹。")
@click.option("--snapshot", "file", required=True, type=click.Path(dir_okay=False, path_type=Path), help="快照放在哪里。")
@click.option("--demo", is_flag=True, help="在快照里注明是演示数据。")
@click.option("--once", is_flag=True, help="只看一遍：有变化就生成；没有生成成时以 1 退出。")
@click.option("--status", is_flag=True, help="最近一次生成，以及公共网站是否落后于目录；输出 JSON，生成失败时以 1 退出。")
def publisher(out: Path, file: Path, demo: bool, once: bool, status: bool) -> None:
    """公共网站跟随目录：发布、撤销、公开台账有变化时，一分钟内重新生成。"""
    from ckanext.mulu import publisher as works

    if status:
        kept = works.status(out)
        click.echo(json.dumps(kept | {"behind": works.behind(out)}, ensure_ascii=False))
        sys.exit(1 if kept.get("error") else 0)
    elif once:
        works.Publisher(out, file, demo=demo).look()
        if error := works.status(out).get("error"):
            click.echo(error, err=True)
            sys.exit(1)
    else:
        works.loop(out, file, demo=demo)


@mulu.command("cases-import")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--received", metavar="日期", help="收到文件的日期（2026-01-31），期限从这一天起算；默认今天。")
@click.option("--attach", multiple=True, type=click.Path(exists=True, dir_okay=False, path_type=Path), help="随文件交来的附件，可以多次；只用于单独一件。")
def cases_import(files: tuple[Path, ...], received: str | None, attach: tuple[Path, ...]) -> None:
    """收下公共网站存成文件的申请（门户当时连不上）；每件输出受理编号和查询码，由经办人转交本人。有未收下的以 1 退出。"""
    from ckanext.mulu.public_requests import handing_in

    lines = handing_in.lines(files, received, attach)
    for line in lines:
        click.echo(line.text, err=not line.taken)
    sys.exit(0 if lines and all(line.taken for line in lines) else 1)


@mulu.command("seed-demo")
@click.option("--profile", default=None, help="地方，默认为配置的 mulu.profile。")
@click.option("--departments", type=click.File("r"), default=None, help="部门名单（JSON：[{name, title}]），- 为标准输入。")
def seed_demo(profile: str | None, departments: click.utils.LazyFile | None) -> None:
    """建立演示用的机构和人员；输出 JSON：users（角色 → 用户名、密码、令牌）、departments（部门 → 经办人）。"""
    from ckanext.mulu.seed import seed

    listed = json.load(departments) if departments else []  # type: ignore[arg-type]
    click.echo(json.dumps(seed(profile or tk.config["mulu.profile"], listed), ensure_ascii=False))
