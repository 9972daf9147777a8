package dev.crowdlab.hub;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class HearingTest {

  @Test
  void whateverIsHeardItIsKnownWhetherItCameFromAnother() {
    Random random = new Random(6);
    Hearing hearing = new Hearing(-1);
    Map<String, Long> heard = new HashMap<>();
    for (long now = 0; now < 50_000; now++) {
      String who = "vm-" + random.nextInt(1 + random.nextInt(4));
      hearing.heard(who, now);
      heard.put(who, now);
      String asked = "vm-" + random.nextInt(5);
      long since = now - random.nextInt(6);

      boolean others =
          heard.entrySet().stream()
              .anyMatch(each -> !each.getKey().equals(asked) && each.getValue() >= since);
      assertThat(hearing.others(asked, since)).isEqualTo(others || since <= -1);
    }
  }
}
