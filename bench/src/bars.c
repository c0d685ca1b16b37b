// SPDX-License-Identifier: Apache-2.0
#include "bars.h"

#include <string.h>

// Geometry in SVG units: the text to the left of a bar, the bar's longest, the room for its figure.
enum { LABEL = 330, LONGEST = 560, FIGURE = 90, ROW = 22, NOTE = 14, LEGEND = 26, BAR = 15 };

// Distinct also without colour vision (Okabe and Ito 2008), in the order of the phases.
static const char *const colours[] = {"#0072b2", "#56b4e9", "#009e73", "#f0e442", "#cc79a7", "#e69f00", "#bbbbbb"};
enum { COLOURS = sizeof(colours) / sizeof(colours[0]) };

void put_text(FILE *page, const char *text)
{
    for (; *text; text++) {
        const char *entity = *text == '<'   ? "&lt;"
                             : *text == '>' ? "&gt;"
                             : *text == '&' ? "&amp;"
                             : *text == '"' ? "&quot;"
                                            : NULL;
        if (entity)
            fputs(entity, page);
        else
            fputc(*text, page);
    }
}

void bars_open(struct bars *bars, FILE *page, double maximum, size_t rows, int notes, int decimals)
{
    *bars = (struct bars){.page = page, .maximum = maximum, .decimals = decimals};
    double height = LEGEND + (double)rows * (ROW + (notes ? NOTE : 0));
    fprintf(page,
            "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %d %g' width='%d' font-family='sans-serif' "
            "font-size='12'>\n",
            LABEL + LONGEST + FIGURE, height, LABEL + LONGEST + FIGURE);
}

void bars_legend(struct bars *bars, const char *const *names, size_t count)
{
    double x = LABEL;
    for (size_t i = 0; i < count; i++) {
        fprintf(bars->page, "<rect x='%g' y='3' width='12' height='12' fill='%s'/><text x='%g' y='13'>", x,
                colours[i % COLOURS], x + 16);
        put_text(bars->page, names[i]);
        fprintf(bars->page, "</text>\n");
        x += 30 + 7 * (double)strlen(names[i]);
    }
    bars->y = LEGEND;
}

void bars_row(struct bars *bars, const struct bar *bar)
{
    double x = LABEL, sum = 0;
    fprintf(bars->page, "<text x='%d' y='%g' text-anchor='end'>", LABEL - 8, bars->y + 12);
    put_text(bars->page, bar->label);
    fprintf(bars->page, "</text>");
    for (size_t i = 0; i < bar->count; i++) {
        double width = bars->maximum > 0 && bar->values[i] > 0 ? bar->values[i] / bars->maximum * LONGEST : 0;
        if (width > 0)
            fprintf(bars->page, "<rect x='%.1f' y='%g' width='%.1f' height='%d' fill='%s'/>", x, bars->y, width, BAR,
                    colours[(bar->first + i) % COLOURS]);
        x += width;
        sum += bar->values[i];
    }
    fprintf(bars->page, "<text x='%.1f' y='%g'>%.*f", x + 6, bars->y + 12, bars->decimals, sum);
    if (bar->remark) {
        fprintf(bars->page, " (");
        put_text(bars->page, bar->remark);
        fprintf(bars->page, ")");
    }
    fprintf(bars->page, "</text>\n");
    if (bar->note) {
        fprintf(bars->page, "<text x='%d' y='%g' font-size='10' fill='#666'>", LABEL, bars->y + BAR + 11);
        put_text(bars->page, bar->note);
        fprintf(bars->page, "</text>\n");
        bars->y += NOTE;
    }
    bars->y += ROW;
}

void bars_close(struct bars *bars)
{
    fprintf(bars->page, "</svg>\n");
}
