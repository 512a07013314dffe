"""What the Chinese search of Solr promises, asked of the real Solr: every part of a title finds it, and the best comes first.

Documents go into the test core under a site id of their own, so that CKAN's tests, which use the same core, never see them.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator

import pytest
import requests

from mulu_ops.settings import Settings

TITLES = (
    "企业信用信息公示数据", "企业", "2022年GDP统计（季度）", "湘潭市政务数据目录", "老年人优待证办理信息", "疫苗接种点",
    "医疗机构执业许可证", "A级纳税人名单", "道路运输经营许可证（10人以上）", "PM2.5日均值", "ＧＤＰ增速（２０２１）",
    "5G基站布局", "城乡居民基本养老保险参保人员", "华容县2021年度行政处罚信息", "𠮷林路口监控点", "河长制-河道名录",
)  # fmt: skip
Find = Callable[[str], list[str]]


@pytest.fixture(scope="module")
def find(settings: Settings) -> Iterator[Find]:
    url, site = settings.solr_url("test"), f"ops-{uuid.uuid4().hex}"
    documents = [
        {"title": title, "name": f"entry-{n}", "notes": "本目录由业务系统导出，供部门共享。"} for n, title in enumerate(TITLES)
    ]
    documents += [
        {"title": "办事大厅窗口", "name": "in-notes", "notes": "登记企业信用信息公示数据的窗口"},
        {"title": "企业年报与信用评价、公示数据汇总", "name": "apart", "notes": ""},
        {"title": "公告", "name": "in-items", "notes": "", "item_names": ["统一社会信用代码", "接种日期"]},
        {"title": "台账", "name": "pinyin", "notes": "", "title_pinyin": ["taizhang", "tz"]},
        {"title": "大表", "name": "large", "notes": "", "items_json": "信" * 60_000},
    ]
    for document in documents:
        document |= {"id": document["name"], "index_id": f"{site}-{document['name']}", "site_id": site}
    requests.post(f"{url}/update?commit=true", json=documents, timeout=30).raise_for_status()

    def ask(query: str) -> list[str]:
        """Titles found, best first, as CKAN asks when the extension sets ``defType``."""
        asked = {"q": query, "defType": "edismax", "mm": "2<-1 5<80%", "qf": "name^4 title^4 text", "q.op": "AND",
                 "fq": f"site_id:{site}", "fl": "title", "rows": "100"}
        answer = requests.post(f"{url}/select", data=asked, timeout=30)
        answer.raise_for_status()
        return [document["title"] for document in answer.json()["response"]["docs"]]

    yield ask
    requests.post(f"{url}/update?commit=true", json={"delete": {"query": f"site_id:{site}"}}, timeout=30).raise_for_status()


def quoted(text: str) -> str:
    return '"' + text.replace('"', '\\"') + '"'


@pytest.mark.parametrize("title", TITLES)
def test_every_part_of_a_title_finds_it(find: Find, title: str) -> None:
    parts = {title[a:b] for a in range(len(title)) for b in range(a + 2, len(title) + 1)}
    assert not [part for part in parts if title not in find(quoted(part))]


@pytest.mark.parametrize("title", TITLES)
def test_every_single_word_character_finds_it(find: Find, title: str) -> None:
    assert not [character for character in title if character.isalnum() and title not in find(character)]


@pytest.mark.parametrize("part", ["2022年GDP", "2年", "gdp", "ＧＤＰ", "PM2.5", "2021", "5g基站", "河长制-河道", "（10人"])
def test_unquoted_mixed_parts_are_found(find: Find, part: str) -> None:
    assert find(part)


def test_the_whole_title_comes_first_then_its_beginning_then_the_description_then_words_apart(find: Find) -> None:
    found = find("企业信用信息公示数据")
    assert found == ["企业信用信息公示数据", "办事大厅窗口"]
    assert find("企业信用公示数据") == ["企业信用信息公示数据", "办事大厅窗口", "企业年报与信用评价、公示数据汇总"]
    assert find("企业")[0] == "企业"
    assert find("企业").index("企业信用信息公示数据") < find("企业").index("办事大厅窗口")


def test_words_may_stand_apart_and_in_any_order(find: Find) -> None:
    assert find("公示 企业")[0] in ("企业信用信息公示数据", "企业年报与信用评价、公示数据汇总")
    assert find("GDP 2022年") == ["2022年GDP统计（季度）"]


@pytest.mark.parametrize(("part", "title"), [("接种日期", "公告"), ("tz", "台账"), ("taizhang", "台账")])
def test_items_and_pinyin_are_found(find: Find, part: str, title: str) -> None:
    assert title in find(part)


def test_what_is_nowhere_is_not_found(find: Find) -> None:
    assert find("水利普查") == []
    assert find("q") == []


def test_a_very_long_field_and_a_very_long_question_break_nothing(find: Find) -> None:
    assert find("大表") == ["大表"]
    assert isinstance(find("企业信用" * 400), list)
