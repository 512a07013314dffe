"""Is this entry valid? Every rule at once: each field by itself (fieldchecks), and what one field demands of another.

Run on every way in: form, API, Excel, harvest. An error keeps an entry from being submitted and published; a warning is shown to
those who decide.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Final

from mulu import credit_code, resource_code
from mulu.codes import CODE_LISTS, fold
from mulu.entry import Entry
from mulu.errors import Problem
from mulu.fieldchecks import FieldChecks
from mulu.forms import read_date
from mulu.profile import Profile

WIDTH: Final[Mapping[str, int]] = {"none": 0, "conditional": 1, "unconditional": 2}
"""How wide a class is; an item is never wider than its entry."""
_NO_CONDITION: Final = frozenset(map(fold, ("", "无", "无条件", "无条件共享", "无条件开放", "-", "/")))
_NAMES_A_RULE = re.compile(r"《.+》|法|条例|规定|决定|办法|国发|国办发|第.+条")
_PERSONAL = re.compile(
    r"身份证|公民身份号码|证件号|手机|移动电话|联系电话|联系方式|家庭(住|地)址|住址|户籍|户口|出生(日期|年月)|姓名|银行(卡|账)|护照"
    r"|社(会)?保(障)?(卡)?号|医保卡?号|病历|诊断|指纹|人脸|电子邮箱|微信号|残疾证"
)
_OF_A_BODY = re.compile(r"(单位|企业|机构|公司|学校|部门|办公|法人|医院|门店|服务)[^人]*(电话|方式|邮箱|地址|住址)")
"""The telephone of an office is nobody's personal data."""


def check(
    entry: object, profile: Profile, *, known_codes: Callable[[str], bool] | None = None, today: date | None = None
) -> list[Problem]:
    """All problems of an entry in wire form, errors and warnings, in the order of the form.

    known_codes: whether a resource code exists; without it related codes are checked for their form only.
    today: lets dates in the future be found; without it no day is taken for today.
    """
    if not isinstance(entry, Mapping):
        return [Problem("", "wrong_type", "目录条目应为一组字段", entry)]
    fields = FieldChecks(today)
    fields.entry(entry)
    typed = Entry.from_dict(entry)
    rules = _Rules(typed, profile, fields)
    rules.codes(known_codes)
    rules.kind()
    rules.format()
    rules.sharing()
    rules.base_items()
    rules.opening(today)
    rules.items()
    rules.safety()
    return fields.problems


class _Rules:
    """The rules between fields. Each method is one part of the form; it reads ``e`` and says what is wrong."""

    def __init__(self, entry: Entry, profile: Profile, fields: FieldChecks) -> None:
        self.e = entry
        self.profile = profile
        self.say = fields.say
        self.cite = profile.cite

    def codes(self, known: Callable[[str], bool] | None) -> None:
        """Resource code, classification and kind agree; related codes exist; the credit code's check character is right."""
        e, guide = self.e, resource_code.ARTICLE
        parsed = resource_code.parse(e.resource_code) if e.resource_code else None
        if e.resource_code and parsed is None:
            message = f"信息资源代码“{e.resource_code}”应形如 307001/00001（类1位、项2位、目3位、细目、/、顺序号）"
            self.say("resource_code", "wrong_code", message, e.resource_code, guide)
        if parsed and e.classification:
            stated = (*e.classification, "", "", "", "")[:4]
            if any(ours and ours != theirs for ours, theirs in zip(stated, parsed.classification, strict=True)):
                message = f"信息资源代码“{e.resource_code}”与类/项/目/细目“{'/'.join(e.classification)}”不一致"
                self.say("resource_code", "code_disagrees", message, e.resource_code, guide)
        digit = parsed.kind if parsed else e.classification[0] if e.classification else ""
        if digit and e.catalogue_kind in resource_code.KIND_DIGITS and digit != resource_code.KIND_DIGITS[e.catalogue_kind]:
            label = CODE_LISTS["catalogue_kind"].label(e.catalogue_kind)
            self.say("catalogue_kind", "code_disagrees", f"目录类别是{label}，代码的“类”却是{digit}", digit, guide)
        for n, code in enumerate(e.related_codes):
            at = f"related_codes[{n}]"
            if resource_code.parse(code) is None:
                self.say(at, "wrong_code", f"关联资源代码“{code}”应形如 307001/00001", code, guide)
            elif code == e.resource_code:
                self.say(at, "code_of_itself", "关联资源代码不能是本资源自己的代码", code, guide)
            elif known and not known(code):
                self.say(at, "code_unknown", f"关联资源代码“{code}”不存在", code, guide)
        if e.provider_code and (wrong := credit_code.validate(e.provider_code)):
            self.say(wrong.field, wrong.rule, wrong.message, wrong.value, wrong.article)

    def kind(self) -> None:
        e = self.e
        if e.catalogue_kind == "base" and not e.base_class:
            article = self.cite("base_classes_unconditional")
            self.say("base_class", "required", "基础信息资源请选择基础信息资源类别", None, article)
        if e.catalogue_kind == "theme" and not e.theme:
            self.say("theme", "required", "主题信息资源请填写主题", None, "启东市政务信息资源共享管理办法 第十条（三）")

    def format(self) -> None:
        e, article = self.e, "政务信息资源目录编制指南 信息资源格式"
        types, classes = CODE_LISTS["format_type"], CODE_LISTS["format_class"]
        if e.format_type == "other" and not e.format_other:
            self.say("format_other", "required", "格式类型选了“其他”，请写明是什么格式", None, article)
        elif e.format_type in types and e.format_class in classes:
            group = types[e.format_type].group
            if group and group != e.format_class:
                message = f"{types.label(e.format_type)}属于{classes.label(group)}，不属于{classes.label(e.format_class)}"
                self.say("format_type", "format_disagrees", message, e.format_type, article)

    def sharing(self) -> None:
        e, cite = self.e, self.cite
        if e.share_type == "conditional":
            if not e.share_condition:
                message = "有条件共享的，请列明共享范围、使用用途等共享条件"
                self.say("share_condition", "share_condition_missing", message, None, cite("share_condition"))
            if not e.share_basis and all(item.share_type != "none" for item in e.items):
                message = "共享条件没有写依据；不得擅自增设条件，请写明法律、行政法规或者国家有关规定"
                needed = self.profile.value("conditional_needs_basis")
                article = needed.article if needed.value else cite("no_added_conditions")
                self.say("share_basis", "condition_without_basis", message, None, article, warn=True)
        withheld = [item.name for item in e.items if item.share_type == "none" and e.share_type != "none"]
        if e.share_type == "none" or withheld:
            kinds = self.profile.value("share_basis_kinds").value
            if not e.share_basis:
                what = f"信息项“{withheld[0]}”等" if withheld else ""
                message = f"{what}不予共享的，请写明理由和依据（{kinds}）及其条款"
                self.say("share_basis", "share_basis_missing", message, None, cite("share_basis"))
            elif not _NAMES_A_RULE.search(e.share_basis):
                message = f"不予共享依据“{e.share_basis[:40]}”没有写明是哪部{kinds}"
                self.say("share_basis", "share_basis_unnamed", message, e.share_basis, cite("share_basis"), warn=True)
        if e.share_type == "unconditional" and fold(e.share_condition) not in _NO_CONDITION:
            message = "无条件共享的不应再写共享条件"
            article = cite("no_added_conditions")
            self.say("share_condition", "condition_added", message, e.share_condition, article, warn=True)
        if e.share_type in ("unconditional", "conditional") and not e.share_mode:
            self.say("share_mode", "recommended", "请写明共享方式", None, "政务数据共享条例 第十三条", warn=True)

    def base_items(self) -> None:
        """S2: base items of base data are unconditional (qidong 10); where the place says so, the whole of it (huarong 17)."""
        e = self.e
        classes = self.profile.value("base_classes_unconditional")
        if e.catalogue_kind != "base" or e.base_class not in classes.value:
            return
        label = CODE_LISTS["base_class"].label(e.base_class)
        items_only = self.profile.value("base_items_only").value
        if not items_only and e.share_type in ("conditional", "none"):
            message = f"{label}属于基础政务信息资源，必须无条件共享"
            self.say("share_type", "base_unconditional", message, e.share_type, classes.article)
        for n, item in enumerate(e.items):
            share = item.share_type or e.share_type
            if share not in ("conditional", "none"):
                continue
            at = f"items[{n}].share_type"
            if not items_only:
                if item.share_type:
                    message = f"{label}的信息项“{item.name}”必须无条件共享"
                    self.say(at, "base_unconditional", message, item.share_type, classes.article)
            elif item.kind == "base":
                message = f"{label}的基础信息项“{item.name}”必须无条件共享"
                self.say(at, "base_unconditional", message, share, classes.article)
            elif not item.kind:
                message = f"信息项“{item.name}”没有写明是基础信息项还是业务信息项；基础信息项必须无条件共享"
                self.say(f"items[{n}].kind", "required", message, None, classes.article)

    def opening(self, today: date | None) -> None:
        e, cite = self.e, self.cite
        if e.share_type == "none" and e.open_type in ("conditional", "unconditional"):
            self.say("open_type", "open_exceeds_share", "不予共享的资源不得开放", e.open_type, cite("open_types"))
        if e.open_type == "conditional" and not e.open_condition:
            message = "有条件开放的，请写明可以申请的范围和用途"
            self.say("open_condition", "open_condition_missing", message, None, cite("open_types"))
        if e.open_type == "unconditional" and fold(e.open_condition) not in _NO_CONDITION:
            message = "无条件开放的不应再写开放条件"
            self.say("open_condition", "condition_added", message, e.open_condition, cite("open_types"), warn=True)
        withheld = [item.name for item in e.items if item.open_type == "none" and e.open_type != "none"]
        if e.open_type != "none" and not withheld:
            return
        what = f"信息项“{withheld[0]}”等" if withheld else ""
        if not e.open_ground:
            message = f"{what}不予开放的，请选择五种法定理由之一"
            self.say("open_ground", "open_ground_missing", message, None, cite("open_grounds"))
        if not e.open_basis:
            message = f"{what}不予开放的，请写明依据及其条款"
            self.say("open_basis", "open_basis_missing", message, None, cite("open_grounds"))
        review = read_date(e.open_review_on)
        if not e.open_review_on:
            message = f"{what}不予开放的，请写明下次评估日期"
            self.say("open_review_on", "open_review_missing", message, None, cite("open_review"))
        elif review and today and review < today:
            message = f"下次评估日期{review}已过，请重新评估"
            self.say("open_review_on", "open_review_passed", message, e.open_review_on, cite("open_review"), warn=True)
        if e.open_ground == "state_secret":
            message = "涉及国家秘密的资源不得进入本目录，请核实"
            self.say("open_ground", "secret", message, e.open_ground, cite("secrets"), warn=True)

    def items(self) -> None:
        e = self.e
        seen: dict[str, int] = {}
        for n, item in enumerate(e.items):
            if item.name and seen.setdefault(item.name, n) != n:
                message = f"信息项“{item.name}”出现了不止一次（第{seen[item.name] + 1}项、第{n + 1}项）"
                self.say(f"items[{n}].name", "item_twice", message, item.name, warn=True)
            if WIDTH.get(item.share_type, -1) > WIDTH.get(e.share_type, 2):
                message = f"信息项“{item.name}”的共享类型不得比条目更宽"
                self.say(f"items[{n}].share_type", "item_exceeds_entry", message, item.share_type, self.cite("share_types"))
            if WIDTH.get(item.open_type, -1) > WIDTH.get(e.open_type, 2):
                message = f"信息项“{item.name}”的开放类型不得比条目更宽"
                self.say(f"items[{n}].open_type", "item_exceeds_entry", message, item.open_type, self.cite("open_types"))
            if item.share_type == "none" and (item.open_type or e.open_type) in ("conditional", "unconditional"):
                message = f"信息项“{item.name}”不予共享，也不得开放；请把它的开放类型写为不予开放"
                self.say(f"items[{n}].open_type", "open_exceeds_share", message, item.open_type, self.cite("open_types"))

    def safety(self) -> None:
        e, cite = self.e, self.cite
        opened = e.open_type in ("conditional", "unconditional")
        if e.security_level in ("core", "important") and opened:
            label = CODE_LISTS["security_level"].label(e.security_level)
            article = "中华人民共和国数据安全法 第二十一条"
            self.say("open_type", "grade_forbids_opening", f"{label}不得开放", e.open_type, article)
        if not e.security_level:
            required = self.profile.switches["security_level_required"]
            message, article = "请写明安全级别（数据分类分级）", cite("security_level_required")
            self.say("security_level", "required" if required else "recommended", message, None, article, warn=not required)
        if e.personal_information == "contains" and e.open_type == "unconditional":
            article = cite("privacy_review")
            self.say("open_type", "personal_data_open", "含个人信息的资源不得无条件开放", e.open_type, article)
        if not e.personal_information:
            message = "请写明是否含个人信息"
            self.say("personal_information", "recommended", message, None, cite("privacy_review"), warn=True)
        if e.personal_information in ("", "none"):
            for n, item in enumerate(e.items):
                if _PERSONAL.search(item.name) and not _OF_A_BODY.search(item.name):
                    message = f"信息项“{item.name}”可能是个人信息，请核实并如实填写“个人信息”一栏"
                    self.say(f"items[{n}].name", "personal_data_hint", message, item.name, cite("privacy_review"), warn=True)
