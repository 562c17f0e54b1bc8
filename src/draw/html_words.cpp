#include "draw/html_words.h"

namespace nunchi::draw {
namespace {

constexpr HtmlWords english = {
    .code = "en",
    .skip_to_content = "Skip to the content",
    .contents = "On this page",
    .dark = "Dark",
    .table = "Table",
    .best = "best",
    .sort_by = "Sort by {name}",
    .enlarge = "Enlarge: {name}",
    .close = "Close",
    .previous = "Previous picture",
    .next = "Next picture",
    .of_count = "{number} of {count}",
    .opacity = "opacity",
    .smooth = "smooth",
    .least = "least",
    .greatest = "greatest",
    .value_at = "{value} in row {row}, column {column}",
    .no_value = "no value",
    .seen_from = "seen from row {row}, column {column}",
    .everywhere = "Back to the whole picture",
    .explorer_keys = "Point at a patch to read its value. On the keyboard: the arrow keys.",
    .explorer_click_keys =
        "Point at a patch to read its value, click it to see the map from there. On the keyboard: the "
        "arrow keys, Enter, Escape.",
    .search = "search by name",
    .found = "{count} of {all}",
    .groups = "groups",
    .as_pictures = "pictures instead of dots",
    .nearest = "nearest",
    .zoom_in = "Nearer",
    .zoom_out = "Farther",
    .zoom_all = "All of it",
    .scatter_keys =
        "Point at a dot to see it, click it for its nearest. Drag to move; once clicked, the wheel brings "
        "nearer. On the keyboard: the arrow keys, +, -, 0, Escape.",
};

constexpr HtmlWords korean = {
    .code = "ko",
    .skip_to_content = "본문으로 건너뛰기",
    .contents = "이 페이지의 내용",
    .dark = "어둡게",
    .table = "표",
    .best = "최고",
    .sort_by = "{name} 기준으로 정렬",
    .enlarge = "크게 보기: {name}",
    .close = "닫기",
    .previous = "이전 그림",
    .next = "다음 그림",
    .of_count = "{count}장 중 {number}번째",
    .opacity = "불투명도",
    .smooth = "부드럽게",
    .least = "최소",
    .greatest = "최대",
    .value_at = "{row}행 {column}열: {value}",
    .no_value = "값 없음",
    .seen_from = "{row}행 {column}열에서 본 지도",
    .everywhere = "그림 전체로 돌아가기",
    .explorer_keys = "패치를 가리키면 값이 보입니다. 키보드에서는 화살표 키를 씁니다.",
    .explorer_click_keys =
        "패치를 가리키면 값이 보이고, 누르면 그 자리에서 본 지도가 나옵니다. 키보드에서는 화살표 키, "
        "Enter, Esc를 씁니다.",
    .search = "이름으로 찾기",
    .found = "{all}개 중 {count}개",
    .groups = "무리",
    .as_pictures = "점 대신 그림으로",
    .nearest = "가장 가까운 것",
    .zoom_in = "확대",
    .zoom_out = "축소",
    .zoom_all = "전체 보기",
    .scatter_keys =
        "점을 가리키면 그림이 보이고, 누르면 가장 가까운 것들이 나옵니다. 끌면 움직이고, 한 번 누른 뒤에는 "
        "휠로 확대합니다. 키보드에서는 화살표 키, +, -, 0, Esc를 씁니다.",
};

}  // namespace

const HtmlWords& html_words(Language language) { return language == Language::korean ? korean : english; }

}  // namespace nunchi::draw
