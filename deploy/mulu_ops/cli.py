"""The command `mulu`: what an operator types. Long work shows a bar; what cannot be done is said in one sentence."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click
from click.shell_completion import get_completion_class

from mulu.profile import PROFILES
from mulu_ops.api import Api, of_role
from mulu_ops.harvesting import Harvest
from mulu_ops.settings import Settings

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_ROLES = {
    "operator": "平台运维", "authority": "主管部门审核", "authority_head": "主管部门负责人", "higher_authority": "上级主管部门",
    "provider_editor": "数据提供部门编目", "provider_head": "数据提供部门负责人", "consumer": "数据使用部门经办",
    "consumer_head": "数据使用部门负责人", "auditor": "审计（只读）", "citizen": "市民", "enterprise": "企业",
}  # fmt: skip


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="mulu", prog_name="mulu")
def main() -> None:
    """目录：政务数据目录门户的启动、导入、站点与检查。"""


@main.command()
@click.option("--profile", type=click.Choice(PROFILES), help="适用哪个地方的规定，默认为上次所用，首次为 huarong。")
def up(profile: str | None) -> None:
    """启动 PostgreSQL、Redis、Solr、CKAN 和公共站点；已在运行的不动。"""
    from mulu_ops import portal

    settings = Settings.read(profile=profile or "")
    portal.up(settings, click.echo)
    click.echo(f"门户 {settings.url('ckan')}　公共站点 {settings.url('site')}")


@main.command()
def down() -> None:
    """停止由 mulu 启动的程序；别的一概不动。"""
    from mulu_ops.services import Services

    click.echo("已停止。" if Services(Settings.read()).down() else "没有在运行的程序。")


@main.command()
def status() -> None:
    """各程序是否在运行、监听何处。"""
    from mulu_ops.services import Services

    settings = Settings.read()
    states = Services(settings).states()
    if not any(state.pid for state in states):
        click.echo("没有在运行。启动：mulu up（或 make demo）")
    for state in states:
        port = settings.ports.get(state.name)
        address = f"127.0.0.1:{port}" if port and state.pid else ""
        click.echo(f"{state.name:<10}{state.state:<10}{address:<18}{state.detail}")


@main.command()
@click.option("--profile", type=click.Choice(PROFILES), help="适用哪个地方的规定；每个地方有各自的演示数据。")
def demo(profile: str | None) -> None:
    """启动一切，装入示例目录，审核发布，生成公共站点；再次运行不做改动。"""
    from mulu_ops import demo as demo_data
    from mulu_ops import portal

    settings = Settings.read(profile=profile or "")
    portal.up(settings, click.echo)
    demo_data.install(settings, click.echo)
    _say_where(settings)


@main.command("import")
@click.argument("files", nargs=-1, required=True, type=_FILE)
@click.option("--org", default="", metavar="NAME", help="部门的标识；不给时按表中的提供方归属。")
@click.option("--incomplete", type=click.Choice(["refuse", "draft"]), default="refuse", show_default=True, help="有错误的条目：不收，或存为草稿。")
@click.option("--submit", is_flag=True, help="没有错误的条目直接提交部门负责人。")
@click.option("--dry-run", is_flag=True, help="只报告，不写入。")
@click.option("--json", "as_json", is_flag=True, help="以 JSON 输出完整报告。")
@click.option("--url", help="门户地址，默认为本机的演示。")
@click.option("--token", envvar="MULU_TOKEN", help="API 令牌，默认为演示的运维人员或部门编目员。")
@click.option("--profile", type=click.Choice(PROFILES), help="按哪个地方的规定检查。")
def import_files(
    files: tuple[Path, ...], org: str, incomplete: Any, submit: bool, dry_run: bool, as_json: bool,
    url: str | None, token: str | None, profile: str | None,
) -> None:  # fmt: skip
    """导入部门的目录表（.xlsx、.xls、.csv）。有未接受的条目或文件时以 1 退出。"""
    from mulu_ops import importing

    settings = Settings.read(profile=profile or "")
    options = importing.Options(incomplete, dry_run, submit)
    outcomes = []
    for outcome in importing.import_forms(
        _api(settings, url, token, org), files, organization=org, profile=settings.profile, options=options
    ):
        outcomes.append(outcome)
        if not as_json:
            click.echo(importing.result_text(outcome))
    if as_json:
        click.echo(importing.as_json(outcomes))
    sys.exit(any(outcome.failed for outcome in outcomes))


main.add_command(Harvest("harvest", help="汇聚：从其他平台、目录文件和部门的表按时间表取来目录。"))


@main.group()
def cases() -> None:
    """事项。"""


@cases.command("import")
@click.argument("files", nargs=-1, required=True, type=_FILE)
@click.option("--received", metavar="日期", help="收到文件的日期（2026-01-31），期限从这一天起算；默认今天。")
@click.option("--attach", multiple=True, type=_FILE, help="随文件交来的附件，可以多次；只用于单独一件。")
def cases_import(files: tuple[Path, ...], received: str | None, attach: tuple[Path, ...]) -> None:
    """收下公共网站存成文件的申请，输出受理编号和查询码，由经办人转交本人；同一件只收一次。"""
    from mulu_ops import portal

    options = [*(["--received", received] if received else []), *(part for one in attach for part in ("--attach", str(one.resolve())))]
    sys.exit(portal.ckan_here(Settings.read(), "demo", "mulu", "cases-import", *options, *(str(one.resolve()) for one in files)))


@main.group()
def site() -> None:
    """公共站点。"""


@site.command("build")
@click.option("--snapshot", type=_FILE, help="已有的快照；不给时从门户取最新的。")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="输出文件夹，默认为 var/site。")
@click.option("--allow-withdrawal", is_flag=True, help="已发布的条目有一半以上不在快照里时，也照样生成。")
def site_build(snapshot: Path | None, out: Path | None, allow_withdrawal: bool) -> None:
    """生成并一步发布；读者不会看到一半新一半旧。"""
    from mulu_ops import publishing

    report = publishing.build_site(Settings.read(), snapshot=snapshot, out=out, allow_withdrawal=allow_withdrawal)
    click.echo(f"{report.release}：目录 {report.entries} 条，重新生成 {len(report.made)} 个部分，共 {report.units} 个")


@site.command("releases")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="站点文件夹，默认为 var/site。")
def site_releases(out: Path | None) -> None:
    """留存的各个版本（UTC 时间），最后一个最新；* 是读者看到的。"""
    from mulu_ops import publishing

    for one in publishing.kept(out or Settings.read().site):
        click.echo(f"{'*' if one.current else ' '} {one.name}　目录 {one.entries} 条")


@site.command("rollback")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="站点文件夹，默认为 var/site。")
def site_rollback(out: Path | None) -> None:
    """回到前一个版本；目录或页面再有变化时，按变化后的重新生成。"""
    from mulu_ops import publishing

    click.echo(f"已回到 {publishing.roll_back(out or Settings.read().site)}")


@site.command("generate")
@click.argument("count", type=click.IntRange(0))
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path))
def site_generate(count: int, out: Path) -> None:
    """写一份虚构的快照，用于测试和性能测量；不需要门户。"""
    from mulu_ops import publishing

    publishing.generate_snapshot(count, out)


@main.command()
@click.option("--json", "as_json", is_flag=True)
def doctor(as_json: bool) -> None:
    """检查每个部分，并说明怎样修复；有错误时以 1 退出。"""
    from mulu_ops.doctor import Verdict, examine

    findings = list(examine(Settings.read()))
    if as_json:
        click.echo(json.dumps([finding.to_dict() for finding in findings], ensure_ascii=False, indent=2))
    else:
        for finding in findings:
            click.echo(f"{finding.verdict.sign} {finding.part}：{finding.found}" + (f"\n    → {finding.mend}" if finding.mend else ""))
    sys.exit(any(finding.verdict is Verdict.ERROR for finding in findings))


@main.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """输出命令补全脚本，如：eval "$(mulu completion bash)"。"""
    found = get_completion_class(shell)
    assert found is not None
    click.echo(found(main, {}, "mulu", "_MULU_COMPLETE").source())


def _api(settings: Settings, url: str | None, token: str | None, org: str = "") -> Api:
    """The portal to talk to: what was given, else this machine's demo as the editor of the department, else as its operator."""
    if url or token:
        return Api((url or settings.url("ckan")).rstrip("/"), token or "")
    from mulu_ops.demo import editor_of

    return editor_of(settings, org) or of_role(settings, "operator")


def _say_where(settings: Settings) -> None:
    demo = json.loads(settings.demo_json.read_text(encoding="utf-8"))
    click.secho(f"\n门户（部门和主管部门）  {demo['ckan_url']}/user/login", bold=True)
    click.secho(f"公共站点（所有人）      {demo['site_url']}", bold=True)
    click.echo(f"\n规定：{settings.profile}　登录（密码每次安装随机生成，存于 {settings.demo_json}）：")
    for role, label in _ROLES.items():
        if user := demo["users"].get(role):
            click.echo(f"  {user['name']:<24}{user['password']:<20}{label}")
    click.echo("\n停止：make down　查看：make status　检查：.venv/bin/mulu doctor")


if __name__ == "__main__":
    main()
